import LinuxABI
import VirtualFileSystem

/// A file that refers to a process: pidfd_open(2).
public final class PidFile: FileOperations {
    public let threadGroup: ThreadGroup
    public init(_ threadGroup: ThreadGroup) { self.threadGroup = threadGroup }

    public static func makeDescription(_ group: ThreadGroup, nonBlocking: Bool) -> FileDescription {
        FileDescription(
            operations: PidFile(group), anonymousName: "anon_inode:[pidfd]", flags: nonBlocking ? [.readWrite, .nonBlocking] : .readWrite)
    }

    public var isPollable: Bool { true }
    /// Readable once the process has ended; hung up once it was waited for.
    public func readiness() -> PollEvents {
        threadGroup.links.withLock { links in
            if links.isReaped { return [.allReadable, .hangUp] }
            return links.zombie != nil ? .allReadable : []
        }
    }
    public func addWaiter(_ entry: WaitEntry) { threadGroup.exitEvents.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { threadGroup.exitEvents.remove(entry) }
    public var descriptionInfo: String {
        let id = threadGroup.links.withLock { $0.isReaped } ? -1 : threadGroup.id
        return "Pid:\t\(id)\nNSpid:\t\(id)\n"
    }
}
