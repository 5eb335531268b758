import HostOS
import VirtualFileSystem

/// Root, working directory and umask: Linux's fs_struct. Shared with CLONE_FS.
public final class FileSystemContext: Sendable {
    public struct State: Sendable {
        public var root: Path
        public var workingDirectory: Path
        public var umask: UInt16
    }
    public let state: HostMutex<State>
    public init(root: Path, workingDirectory: Path, umask: UInt16) {
        state = HostMutex(State(root: root, workingDirectory: workingDirectory, umask: umask))
    }
    public func copy() -> FileSystemContext {
        let s = state.withLock { $0 }
        return FileSystemContext(root: s.root, workingDirectory: s.workingDirectory, umask: s.umask)
    }
    public var root: Path { state.withLock { $0.root } }
    public var workingDirectory: Path { state.withLock { $0.workingDirectory } }
}
