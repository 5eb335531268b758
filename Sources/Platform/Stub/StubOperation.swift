import CHost
import CStub
import LinuxABI

/// The system calls that managers are ordered to make.
enum StubOperation {
    private enum Number {
        static let mmap: UInt64 = 9
        static let mprotect: UInt64 = 10
        static let munmap: UInt64 = 11
        static let close: UInt64 = 3
        static let sendmsg: UInt64 = 46
        static let recvmsg: UInt64 = 47
        static let clone: UInt64 = 56
    }

    private static func make(
        _ number: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0, _ f: UInt64 = 0,
        extra: UInt64 = 0
    ) -> cstub_operation {
        cstub_operation(number: number, arguments: (a, b, c, d, e, f), extra: extra)
    }

    static func map(_ range: GuestRange, _ protection: Protection, descriptor: Int32, offset: UInt64, populate: Bool) -> cstub_operation {
        let flags: MapFlags = populate ? [.shared, .fixed, .populate] : [.shared, .fixed]
        return make(
            Number.mmap, range.start.rawValue, range.length, UInt64(protection.rawValue & 7), UInt64(flags.rawValue), UInt64(descriptor), offset)
    }
    static func unmap(_ range: GuestRange) -> cstub_operation { make(Number.munmap, range.start.rawValue, range.length) }
    static func protect(_ range: GuestRange, _ protection: Protection) -> cstub_operation {
        make(Number.mprotect, range.start.rawValue, range.length, UInt64(protection.rawValue & 7))
    }
    /// A page of blocks of patched sites.
    static func mapSites(page: Int, of process: StubProcess) -> cstub_operation {
        let offset = UInt64(page) * Page.size
        let start = GuestAddress(UInt64(CSTUB_SITES) + offset)
        return map(
            GuestRange(start: start, end: start + Page.size), [.read, .execute], descriptor: CSTUB_FD_SLOTS,
            offset: process.sitesOffset + offset, populate: true)
    }
    static func close(_ descriptor: Int32) -> cstub_operation { make(Number.close, UInt64(descriptor)) }

    /// Receives one host file, which lands on CSTUB_FD_RECEIVED.
    static func receiveFile(wait: Bool) -> cstub_operation {
        let closeOnExec: UInt64 = 0x4000_0000
        let doNotWait: UInt64 = 0x40
        return make(
            Number.recvmsg, UInt64(CSTUB_FD_FILES), UInt64(CSTUB_SCRATCH) + UInt64(CSTUB_SCRATCH_MESSAGE),
            wait ? closeOnExec : closeOnExec | doNotWait)
    }

    /// CLONE_VM, FS, FILES, SIGHAND, THREAD and SYSVSEM.
    private static let threadFlags: UInt64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000

    /// A guest thread that waits in the stub for its tracer.
    static let cloneThread = make(Number.clone, threadFlags)

    /// A guest thread with a signal stack and a listener, which is sent on the files socket. chost_stub_prepare_birth goes first.
    static func makeNotifyingThread(area: StubArea) -> [cstub_operation] {
        let flags: MapFlags = [.shared, .fixed]
        return [
            make(
                Number.mmap, area.address, UInt64(CSTUB_AREA_SIZE), UInt64((Protection.read.union(.write)).rawValue), UInt64(flags.rawValue),
                UInt64(CSTUB_FD_SLOTS), area.fileOffset),
            make(Number.clone, threadFlags, extra: chost_stub_birth_stack()),
            make(Number.sendmsg, UInt64(CSTUB_FD_FILES), chost_stub_birth_message(), 0, extra: 1),
            close(CSTUB_FD_RECEIVED),
        ]
    }
}
