import HostOS
import LinuxABI

/// How guest code is run: DESIGN §3. A platform makes guest address spaces and runs guest threads in them; it knows nothing of
/// files, tasks or signals' meaning.
public protocol Platform: AnyObject, Sendable {
    /// `ptrace`, `seccomp`, `fake`.
    var name: String { get }
    /// The host's vDSO as it lies in every address space of this platform, with its data pages before it; nil where absent.
    /// Guests may not unmap it.
    var vdso: VDSOPlacement? { get }
    /// An empty address space (nothing mapped below `AddressLimits.maximum` but the vDSO).
    /// - Throws: ENOMEM or EAGAIN when the host cannot give another process.
    func makeAddressSpace() throws(Errno) -> any PlatformAddressSpace
    /// First address that a guest may map: what lies below is the platform's, or nobody's.
    var lowestAddress: GuestAddress { get }
    /// A descriptor that hangs up when a process dies without which the platform cannot go on; nil where there is none.
    var lifeline: Int32? { get }
}

extension Platform {
    public var lifeline: Int32? { nil }
    public var lowestAddress: GuestAddress { AddressLimits.minimum }
}

/// Where the vDSO and its data pages (vvar) lie in guest address spaces.
public struct VDSOPlacement: Sendable {
    public var data: GuestRange
    public var code: GuestRange
    public init(data: GuestRange, code: GuestRange) {
        self.data = data
        self.code = code
    }
}

/// The host side of one guest address space.
public protocol PlatformAddressSpace: AnyObject, Sendable {
    /// Performs all changes in order, in one round trip. Called with the owner's address-space lock held. Ranges are page-aligned,
    /// non-empty and below `AddressLimits.maximum`.
    /// - Throws: ENOMEM when the host refuses (map count, memory), ESRCH when the stub process is gone. Changes before the
    ///   failing one stay done.
    func apply(_ changes: [MappingChange]) throws(Errno)

    /// A context for one guest thread. Must be called on the task thread that will run it, and used on that thread alone.
    /// - Throws: EAGAIN when the host refuses another thread, ESRCH when the stub process is gone.
    func makeContext() throws(Errno) -> any PlatformContext

    /// Ends every guest thread of this space and gives the stub back. No context may be resumed afterwards (it reports `.exited`).
    func destroy()

    /// Says who changes guest programs' text for the platform. Once, before anything is mapped.
    func attach(_ patcher: any TextPatcher)
    /// fork(2): `parent`'s text, changed places included, is about to be mapped here. Called with both owners' locks held.
    func inheritText(of parent: any PlatformAddressSpace)
}

extension PlatformAddressSpace {
    public func attach(_ patcher: any TextPatcher) {}
    public func inheritText(of parent: any PlatformAddressSpace) {}
}

/// Changes instructions of guest programs, as a debugger would: the page becomes a private copy.
public protocol TextPatcher: AnyObject, Sendable {
    /// Replaces `expected` at `address`, within one page, by as many other bytes. Never while a lock of the address space is held.
    /// - Returns: false, and nothing changes, where no private, executable, unwritable file mapping has these bytes.
    func patchText(at address: GuestAddress, expecting expected: [UInt8], with replacement: [UInt8]) -> Bool
    /// Bytes of guest memory; nil where it is not readable.
    func text(at address: GuestAddress, count: Int) -> [UInt8]?
}

/// One change to the host mappings behind a guest address space.
public enum MappingChange: Sendable {
    /// Map `range` from `source`, replacing what was there. Mappings are always MAP_SHARED of the source: copy-on-write is the
    /// Sentry's business. `populate` asks for pages to be present at once (MAP_POPULATE).
    case map(GuestRange, Protection, MappingSource, populate: Bool)
    case unmap(GuestRange)
    case protect(GuestRange, Protection)
}

/// What lies behind a host mapping.
public enum MappingSource: Sendable {
    /// The sandbox's memory file at a page-aligned offset.
    case memoryFile(offset: UInt64)
    /// A host file at a page-aligned offset; mapped read-only or read-write as the descriptor allows.
    case hostFile(SharedHostDescriptor, offset: UInt64)
}

/// One guest thread as the platform runs it. Confined to its task thread, except for `interrupter`.
public protocol PlatformContext: AnyObject {
    /// Runs guest code until the next event. `returning` is put into RAX first; nil leaves the registers as they are.
    func resume(returning value: UInt64?) -> PlatformEvent

    /// The full general register file. Valid between two resumes; a change takes effect at the next resume.
    var registers: RegisterFile { get set }

    /// The floating-point and vector state as an XSAVE area in standard (non-compacted) format, software-reserved bytes cleared.
    func extendedState() -> [UInt8]
    /// Replaces it. Input is hostile: the platform clears reserved bits and unsupported components.
    /// - Throws: EINVAL when the image cannot be loaded.
    func setExtendedState(_ image: [UInt8]) throws(Errno)
    /// Back to the state after execve.
    func resetExtendedState()

    /// Makes a running or about-to-run `resume` return `.interrupted` soon. May be used from any thread at any time.
    var interrupter: any PlatformInterrupter { get }

    /// The task thread is about to sleep in the Sentry, and has woken again: placement of threads on CPUs follows.
    func willBlock()
    func didWake()

    /// Ends the host thread. The context is not used afterwards.
    func release()
}

extension PlatformContext {
    public func willBlock() {}
    public func didWake() {}
}

public protocol PlatformInterrupter: AnyObject, Sendable {
    func interrupt()
}

/// Why guest code stopped.
public enum PlatformEvent: Sendable {
    /// A system call. `number` is the full RAX; 32-bit entries report `.foreignSystemCall`.
    case systemCall(number: UInt64, SystemCallArguments)
    /// int 0x80 or another 32-bit entry: never passed to the host, answered with ENOSYS.
    case foreignSystemCall(number: UInt64)
    /// A page fault (SIGSEGV or SIGBUS with an address).
    case fault(Fault)
    /// SIGILL, SIGFPE, SIGTRAP, or a SIGSEGV or SIGBUS without page fault (general protection): deliver as it is.
    case exception(SignalInfo)
    /// `interrupt()`, or nothing of note.
    case interrupted
    /// The host thread or its process is gone: somebody killed it.
    case exited
}

/// A memory fault taken by guest code.
public struct Fault: Sendable {
    /// `unknown`: ptrace does not report the page-fault error code.
    public enum Access: Sendable { case read, write, execute, unknown }
    public var address: GuestAddress
    /// What was tried, from the x86 page-fault error code where the platform sees it.
    public var access: Access
    /// The host's own view: SIGSEGV or SIGBUS, and si_code.
    public var info: SignalInfo

    public init(address: GuestAddress, access: Access, info: SignalInfo) {
        self.address = address
        self.access = access
        self.info = info
    }
}
