import LinuxABI
import VirtualFileSystem

/// What execve(2) left for /proc and prctl(2) to show: Linux keeps it in mm_struct.
public struct ProcessImage: Sendable {
    /// The program, for /proc/PID/exe.
    public var executable: Path?
    /// The open program file. While it is held, writing to the file gives ETXTBSY.
    public var executableFile: ExecutableFile?
    /// Argument and environment strings on the initial stack.
    public var arguments = GuestRange(start: .null, end: .null)
    public var environment = GuestRange(start: .null, end: .null)
    /// The auxiliary vector as bytes, AT_NULL included.
    public var auxiliaryVector: [UInt8] = []
    public var code = GuestRange(start: .null, end: .null)
    public var data = GuestRange(start: .null, end: .null)
    public var breakStart = GuestAddress.null
    public var stackStart = GuestAddress.null
    public init() {}
}
