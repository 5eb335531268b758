import HostOS
import LinuxABI
import Memory
import Platform
import Synchronization
import VirtualFileSystem

/// Everything the host thread of a new task needs to begin.
struct TaskStart: Sendable {
    var task: Task
    var memory: AddressSpace
    var files: DescriptorTable
    var fileSystem: FileSystemContext
    var namespaces: NamespaceSet
    var registers: RegisterFile
    /// Nil: as after execve.
    var extendedState: [UInt8]?
    var alternateStack = SignalStack()
    var setChildTID = GuestAddress.null
    var clearChildTID = GuestAddress.null
    var vforkCompletion: VforkCompletion?
    var dispatcher: any SystemCallDispatcher
}

/// Tells the parent whether the child's host thread could begin.
private final class StartReport: Sendable {
    private let outcome = Mutex<StartFailure?>(nil)
    private let parker = HostParker()
    private let isDone = Atomic<Bool>(false)

    func report(_ failure: StartFailure?) {
        outcome.withLock { $0 = failure }
        isDone.store(true, ordering: .releasing)
        parker.wake()
    }
    func wait() throws(StartFailure) {
        while !isDone.load(ordering: .acquiring) { parker.park(until: nil) }
        if let failure = outcome.withLock({ $0 }) { throw failure }
    }
}

extension SandboxKernel {
    /// Starts the task thread and returns once its guest thread exists.
    /// - Throws: the host's reason.
    func start(_ start: TaskStart) throws(StartFailure) {
        let report = StartReport()
        shutdown.withLock { $0.taskThreads += 1 }
        do throws(StartFailure) {
            do throws(Errno) { try HostThread.start(near: true) { Self.body(start, report) } } catch {
                throw StartFailure(step: .taskThread, error: error)
            }
            try report.wait()
        } catch {
            taskThreadDidEnd()
            throw error
        }
    }

    /// The same for a guest's request, which is refused as Linux would. - Throws: EAGAIN, ENOMEM.
    func startForGuest(_ start: TaskStart) throws(Errno) {
        do throws(StartFailure) { try self.start(start) } catch { throw refuse(error) }
    }

    /// The same for a process that comes from outside. - Throws: the host's error.
    func startFromOutside(_ start: TaskStart) throws(Errno) {
        do throws(StartFailure) { try self.start(start) } catch { throw error.error }
    }

    private static func body(_ start: TaskStart, _ report: StartReport) {
        let context: any PlatformContext
        do throws(Errno) {
            context = try start.memory.platformSpace.makeContext()
            context.registers = start.registers
            if let state = start.extendedState { try context.setExtendedState(state) }
        } catch {
            report.report(StartFailure(step: .guestThread, error: error))
            return
        }
        let current = CurrentTask(
            task: start.task, context: context, memory: start.memory, files: start.files, fileSystem: start.fileSystem,
            namespaces: start.namespaces)
        current.alternateStack = start.alternateStack
        current.clearChildTID = start.clearChildTID
        current.vforkCompletion = start.vforkCompletion
        start.task.host.withLock { $0 = Task.HostSide(interrupter: context.interrupter, threadID: HostThread.currentID) }
        report.report(nil)
        // As schedule_tail: a bad address is not an error.
        if !start.setChildTID.isNull { try? start.memory.store(start.task.ownID, at: start.setChildTID) }
        start.task.setRunState(.running)
        current.run(start.dispatcher)
        current.finish()
        start.task.kernel.taskThreadDidEnd()
    }

    func taskThreadDidEnd() {
        shutdown.withLock { $0.taskThreads -= 1 }
        taskThreadEnded.notify(.everything)
    }
}
