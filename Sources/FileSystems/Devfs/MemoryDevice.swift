import HostOS
import LinuxABI
import Memory
import VirtualFileSystem

/// The memory devices, mem(4), null(4), full(4), random(4): character devices of major number 1.
final class MemoryDevice: FileOperations {
    enum Kind: UInt32, CaseIterable {
        case null = 3
        case zero = 5
        case full = 7
        case random = 8
        case urandom = 9

        var device: DeviceNumber { DeviceNumber(major: 1, minor: rawValue) }
        var name: String {
            switch self {
            case .null: "null"
            case .zero: "zero"
            case .full: "full"
            case .random: "random"
            case .urandom: "urandom"
            }
        }
        var isRandom: Bool { self == .random || self == .urandom }
    }

    private let kind: Kind
    /// For mappings of /dev/zero.
    private let memoryFile: MemoryFile

    init(_ kind: Kind, _ memoryFile: MemoryFile) {
        self.kind = kind
        self.memoryFile = memoryFile
    }

    var isSeekable: Bool { true }
    var splicing: Splicing { kind == .null ? .target : kind == .full ? .source : [.source, .target] }
    /// The others have no poll operation, which epoll refuses.
    var isPollable: Bool { kind.isRandom }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        switch kind {
        case .null: return 0
        case .zero, .full: return try buffer.putZeroes(buffer.remaining)
        case .random, .urandom:
            var total = 0
            while buffer.remaining > 0 {
                let bytes = try HostRandom.bytes(min(buffer.remaining, 1 << 16))
                do throws(Errno) {
                    let moved = try buffer.put(bytes)
                    total += moved
                    if moved < bytes.count { break }
                } catch {
                    if total > 0 { break }
                    throw error
                }
            }
            return total
        }
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        switch kind {
        case .full: throw .ENOSPC
        case .null, .zero: return (buffer.remaining, 0)
        case .random, .urandom:
            // What is written would be mixed in without being counted; the host's generator does without. The bytes must be there.
            var total = 0
            while buffer.remaining > 0 {
                do throws(Errno) {
                    let bytes = try buffer.take(min(buffer.remaining, 1 << 16))
                    if bytes.isEmpty { break }
                    total += bytes.count
                } catch {
                    if total > 0 { break }
                    throw error
                }
            }
            return (total, 0)
        }
    }

    /// The memory devices have no position, the random ones keep what they have.
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        guard (0...4).contains(whence) else { throw .EINVAL }
        return kind.isRandom ? current : 0
    }

    /// Every shared mapping of /dev/zero is memory of its own; a private one reads as zeroes.
    var mappable: (any MemoryMappable)? {
        kind == .zero ? AnonymousMemory.makeShared(memoryFile, size: TmpfsData.maximumSize) : nil
    }

    /// random(4): RNDGETENTCNT; what adds to the pool is for the host alone.
    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        guard kind.isRandom else { throw .ENOTTY }
        switch request {
        case 0x8004_5200:
            try caller.memory.store(Int32(256), at: GuestAddress(argument))
            return 0
        case 0x4004_5201, 0x4008_5203, 0x5204, 0x5206, 0x5207: throw .EPERM
        default: throw .EINVAL
        }
    }
}
