import LinuxABI
import Memory

/// Why the host did not let a task begin.
struct StartFailure: Error, Hashable {
    /// What the host was asked for.
    enum Step: String {
        case addressSpace = "a host process for a guest's address space"
        case guestThread = "the host thread that runs guest code"
        case taskThread = "the Sentry's thread for a guest thread"
    }
    var step: Step
    /// The host's.
    var error: Errno

    /// What clone(2) and execve(2) tell a guest: they know no other errors for want of means (copy_process).
    var guestError: Errno { error == .ENOMEM ? .ENOMEM : .EAGAIN }

    /// For whoever runs the sandbox: what failed, and what to do.
    var text: String { "the host refused \(step.rawValue): \(error); \(remedy)" }

    private var remedy: String {
        switch error {
        case .EAGAIN: "raise its limits of processes and threads (ulimit -u, pids.max of the control group, kernel.threads-max)"
        case .ENOMEM: "raise its limits of memory and mappings (memory.max of the control group, ulimit -v, vm.max_map_count)"
        case .EMFILE, .ENFILE: "raise its limit of open files (ulimit -n, fs.file-max)"
        case .ESRCH: "the guest's host process has ended; see who killed it"
        default: "see that nothing outside the sandbox forbids it (a seccomp filter, a security module)"
        }
    }
}

extension SandboxKernel {
    /// An address space for a program that a guest executes. - Throws: EAGAIN, ENOMEM.
    public func makeAddressSpace(limits: MemoryLimits) throws(Errno) -> AddressSpace {
        do throws(Errno) { return try AddressSpace(platform: platform, memoryFile: memoryFile, limits: limits) } catch {
            throw refuse(StartFailure(step: .addressSpace, error: error))
        }
    }

    /// Reports why a guest gets no new task: each reason once, so that a guest cannot fill logs.
    /// - Returns: the errno for the guest.
    func refuse(_ failure: StartFailure) -> Errno {
        if reportedFailures.withLock({ $0.insert(failure).inserted }) { report(failure.text) }
        return failure.guestError
    }
}
