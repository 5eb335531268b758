import Kernel
import LinuxABI
import Loader
import Memory
import VirtualFileSystem

/// execve(2), execveat(2).
extension SystemCallFamilies {
    public static let exec: [SystemCallEntry] = [
        .init(59, "execve", sysExecve),
        .init(322, "execveat", sysExecveat),
    ]

    private static let currentDirectory: Int32 = -100
    private static let noFollow: Int32 = 0x100
    private static let emptyPath: Int32 = 0x1000
    private static let checkOnly: Int32 = 0x10000

    @Sendable static func sysExecve(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try execute(current, currentDirectory, a.address(0), arguments: a.address(1), environment: a.address(2), flags: 0)
    }

    @Sendable static func sysExecveat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try execute(current, a.int(0), a.address(1), arguments: a.address(2), environment: a.address(3), flags: a.int(4))
    }

    private static func execute(
        _ current: CurrentTask, _ directory: Int32, _ pathAddress: GuestAddress, arguments: GuestAddress, environment: GuestAddress,
        flags: Int32
    ) throws(Errno) -> Int {
        let path = try current.path(at: pathAddress)
        guard flags & ~(noFollow | emptyPath | checkOnly) == 0 else { throw .EINVAL }
        let isAbsolute = path.first == UInt8(ascii: "/")
        var fileName = path
        var isNameInaccessible = false
        if directory != currentDirectory && !isAbsolute {
            let entry = try current.files.entry(directory)
            isNameInaccessible = entry.closeOnExec
            fileName = Array("/dev/fd/\(directory)".utf8)
            if !path.isEmpty { fileName += [UInt8(ascii: "/")] + path }
        }
        if current.exceedsProcessLimit { throw .EAGAIN }

        let place: Path
        if path.isEmpty {
            guard flags & emptyPath != 0 else { throw .ENOENT }
            place = directory == currentDirectory ? current.workingDirectory : try current.files.get(directory).location
        } else {
            let base = isAbsolute || directory == currentDirectory ? nil : try current.files.get(directory).location
            place = try VFS.resolve(path, from: base, flags & noFollow != 0 ? [] : [.follow], caller: current)
            if place.dentry.type == .symbolicLink { throw .ELOOP }
        }
        let file = try VFS.openForExecution(place, caller: current)
        let limits = MemoryLimits(current.threadGroup.limits, current.credentials)
        var budget = StringBudget(limits.stack)
        let argumentList = try strings(current, arguments, &budget)
        let environmentList = try strings(current, environment, &budget)
        if flags & checkOnly != 0 {
            _ = try ExecutableFile(file)
            return 0
        }
        let program = try ProgramLoader.load(
            LoadRequest(
                file: file, fileName: fileName, arguments: argumentList, environment: environmentList, kernel: current.kernel,
                caller: current, limits: limits, personality: current.task.personality, isNameInaccessible: isNameInaccessible,
                isWatched: current.hasTracerWithoutPrivilege))
        try current.execute(program)
        return 0
    }

    /// Bounds what is copied in before the exact limit is checked by the loader.
    private struct StringBudget {
        var left: Int
        init(_ stackLimit: UInt64) { left = Int(max(min(stackLimit / 4, 6 << 20), 131_072)) + 8 }
        mutating func take(_ count: Int) throws(Errno) {
            left -= count
            if left < 0 { throw .E2BIG }
        }
    }

    /// A null-terminated list of strings; a null list is empty, as on Linux.
    private static func strings(_ current: CurrentTask, _ address: GuestAddress, _ budget: inout StringBudget) throws(Errno) -> [[UInt8]] {
        if address.isNull { return [] }
        var result: [[UInt8]] = []
        var next = address
        while true {
            let pointer = try current.memory.load(UInt64.self, at: next)
            if pointer == 0 { return result }
            let string: [UInt8]
            do throws(Errno) {
                string = try current.memory.copyInString(GuestAddress(pointer), limit: ProgramLoader.maximumStringLength)
            } catch { throw error == .ENAMETOOLONG ? .E2BIG : error }
            try budget.take(string.count + 9)
            result.append(string)
            next = next + UInt64(8)
        }
    }
}
