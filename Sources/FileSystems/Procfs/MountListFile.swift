import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open /proc/PID/mounts, mountinfo or mountstats: text as any synthetic file's, and poll(2) tells of changes (proc_pid_mounts(5)).
final class MountListOperations: FileOperations {
    private let text: SyntheticFileOperations
    private let namespace: MountNamespace
    /// The change that poll(2) told of last.
    private let seen: Atomic<UInt64>

    init(_ file: any SyntheticFile, _ namespace: MountNamespace) {
        text = SyntheticFileOperations(file)
        self.namespace = namespace
        seen = Atomic(namespace.changeCount)
    }

    var splicing: Splicing { .source }
    var isSeekable: Bool { true }
    var isPollable: Bool { true }
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        try text.read(&buffer, at: position, caller: caller)
    }
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        try text.seek(offset: offset, whence: whence, current: current)
    }

    /// Each change is told once (mounts_poll).
    func readiness() -> PollEvents {
        let now = namespace.changeCount
        guard seen.exchange(now, ordering: .acquiringAndReleasing) != now else { return [.readable, .readNormal] }
        return [.readable, .readNormal, .priority, .error]
    }
    func addWaiter(_ entry: WaitEntry) { namespace.changed.add(entry) }
    func removeWaiter(_ entry: WaitEntry) { namespace.changed.remove(entry) }
}
