import HostOS
import LinuxABI
import Memory
import VirtualFileSystem

/// A caller without a guest: what it does not need traps.
final class FakeCaller: Caller {
    var credentials = Credentials(uid: 1000, gid: 1000, groups: [], capabilities: [])
    var memory: AddressSpace { fatalError("no guest memory in this test") }
    var umask: UInt16 { 0o022 }
    var root: Path { fatalError("no file system in this test") }
    var workingDirectory: Path { fatalError("no file system in this test") }
    var mountNamespace: MountNamespace { fatalError("no file system in this test") }
    var fileSizeLimit: UInt64 { .max }
    let parker = HostParker()
    let processID: Int32 = 42
    var raised: [Signal] = []

    func park(until deadline: MonotonicInstant?) throws(Errno) {
        // A test that would sleep for ever fails instead.
        let limit = MonotonicInstant.after(nanoseconds: 5_000_000_000)
        if !parker.park(until: min(deadline ?? limit, limit)) { throw .ETIMEDOUT }
    }
    func raise(_ signal: Signal) { raised.append(signal) }
}

extension FileOperations {
    func write(_ bytes: [UInt8], _ caller: FakeCaller) throws(Errno) -> Int {
        var buffer = IOBuffer(kernelBytes: bytes)
        return try write(&buffer, at: .stream, caller: caller).count
    }
    func read(_ count: Int, _ caller: FakeCaller) throws(Errno) -> [UInt8] {
        var buffer = IOBuffer(kernelCapacity: count)
        _ = try read(&buffer, at: .stream, caller: caller)
        return buffer.kernelBytes
    }
}

/// The errno `body` throws, nil when it does not.
func failure<R>(_ body: () throws(Errno) -> R) -> Errno? {
    do throws(Errno) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
