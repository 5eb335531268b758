import LinuxABI
import VirtualFileSystem

/// A program file in use: while this lives, nobody can open the file for writing (ETXTBSY, execve(2)).
public final class ExecutableFile: Sendable {
    public let description: FileDescription

    /// - Throws: ETXTBSY while the file is open for writing.
    public init(_ description: FileDescription) throws(Errno) {
        try description.inode?.shared.denyWriters()
        self.description = description
    }

    deinit { description.inode?.shared.allowWriters() }
}
