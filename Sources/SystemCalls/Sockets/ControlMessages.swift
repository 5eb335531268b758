import Kernel
import LinuxABI
import Sockets
import VirtualFileSystem

/// Control messages: cmsg(3), unix(7).
enum ControlMessages {
    /// SCM_MAX_FD.
    static let maximumDescriptors = 253

    /// Takes SCM_RIGHTS and SCM_CREDENTIALS out of the sender's control buffer.
    /// - Throws: EINVAL for a malformed buffer or unknown type, EBADF, EPERM for credentials that are not the sender's.
    static func parse(_ bytes: [UInt8], into request: inout SendRequest, family: Int32, current: CurrentTask) throws(Errno) {
        var offset = 0
        while offset + ControlHeader.size <= bytes.count {
            let length64 = word(bytes, offset)
            guard length64 >= UInt64(ControlHeader.size), length64 <= UInt64(bytes.count - offset) else { throw .EINVAL }
            let length = Int(length64)
            let level = int(bytes, offset + 8), type = int(bytes, offset + 12)
            let data = offset + ControlHeader.size
            defer { offset += ControlHeader.align(length) }
            guard level == SocketOption.levelSocket && family == AddressFamily.unix else { continue }
            switch type {
            case SocketOption.controlRights:
                let count = (length - ControlHeader.size) / 4
                guard request.descriptions.count + count <= maximumDescriptors else { throw .EINVAL }
                for index in 0..<count {
                    request.descriptions.append(try current.files.get(int(bytes, data + index * 4)))
                }
                let c = current.credentials
                if !c.has(.sysResource) && !c.has(.sysAdmin) { request.inFlightLimit = Int(current.descriptorLimit) }
            case SocketOption.controlCredentials:
                guard length == ControlHeader.size + 12 else { throw .EINVAL }
                var given = UserCredentials(
                    pid: int(bytes, data), uid: UInt32(bitPattern: int(bytes, data + 4)), gid: UInt32(bitPattern: int(bytes, data + 8)))
                try check(&given, current)
                request.credentials = given
            default:
                throw .EINVAL
            }
        }
    }

    /// scm_check_creds: a process may claim its own ids, others only with the capability.
    /// The IDs become the kernel's.
    private static func check(_ given: inout UserCredentials, _ current: CurrentTask) throws(Errno) {
        let c = current.credentials
        guard let uid = c.kernelUser(given.uid), let gid = c.kernelGroup(given.gid) else { throw .EINVAL }
        given.uid = uid
        given.gid = gid
        let ownUser = given.uid == c.realUID || given.uid == c.effectiveUID || given.uid == c.savedUID
        let ownGroup = given.gid == c.realGID || given.gid == c.effectiveGID || given.gid == c.savedGID
        guard given.pid == current.processID || c.has(.sysAdmin, in: current.pidNamespace.owner), ownUser || c.hasInside(.setuid),
            ownGroup || c.hasInside(.setgid)
        else {
            throw .EPERM
        }
        if given.pid == current.processID {
            given.pid = current.globalProcessID
        } else {
            guard let task = current.findTask(given.pid) else { throw .ESRCH }
            given.pid = task.id
        }
    }

    /// Stores what came with a message, and installs the descriptors that have room. Returns the bytes used and MSG_CTRUNC if
    /// something did not fit.
    static func store(
        _ message: inout ReceivedMessage, for file: SocketFile, at address: GuestAddress, capacity: Int, closeOnExec: Bool,
        current: CurrentTask
    ) throws(Errno) -> (length: Int, flags: MessageFlags) {
        var used = 0
        var flags: MessageFlags = []
        for item in message.ancillary {
            let stored = try put(item.type, item.data, level: item.level, at: address, used: &used, capacity: capacity, current)
            if !stored { flags.insert(.controlTruncated) }
        }
        if let c = message.credentials, file.passesCredentials {
            let own = current.credentials
            let data =
                bytes(of: UInt32(bitPattern: current.number(ofProcess: c.pid))) + bytes(of: own.shownUser(c.uid)) + bytes(of: own.shownGroup(c.gid))
            let stored = try put(SocketOption.controlCredentials, data, at: address, used: &used, capacity: capacity, current)
            if !stored { flags.insert(.controlTruncated) }
        }
        if !message.descriptions.isEmpty {
            let room = max(0, (capacity - used - ControlHeader.size) / 4)
            let wanted = min(room, message.descriptions.count)
            var data: [UInt8] = []
            var installed: [Int32] = []
            for description in message.descriptions.prefix(wanted) {
                guard let number = try? current.install(description, closeOnExec: closeOnExec) else { break }
                installed.append(Int32(truncatingIfNeeded: number))
                data += bytes(of: UInt32(truncatingIfNeeded: number))
            }
            if installed.count < message.descriptions.count { flags.insert(.controlTruncated) }
            message.descriptions = []
            if !installed.isEmpty {
                do throws(Errno) {
                    _ = try put(SocketOption.controlRights, data, at: address, used: &used, capacity: capacity, current)
                } catch {
                    for number in installed { _ = try? current.files.remove(number) }
                    throw error
                }
            }
        }
        if let c = message.credentials, file.passesPIDFD {
            let isStored = try putPidFile(c.pid, at: address, used: &used, capacity: capacity, current)
            if !isStored { flags.insert(.controlTruncated) }
        }
        return (used, flags)
    }

    /// SCM_PIDFD: a pidfd of the sender. Its place is taken by an error where there can be none (scm_pidfd_recv).
    private static func putPidFile(_ pid: Int32, at address: GuestAddress, used: inout Int, capacity: Int, _ current: CurrentTask)
        throws(Errno) -> Bool
    {
        guard capacity - used >= ControlHeader.size + 4 else { return false }
        var number = -Int(Errno.ESRCH.rawValue)
        if let group = current.kernel.processes.threadGroup(pid) {
            do throws(Errno) {
                number = try current.install(PidFile.makeDescription(group, nonBlocking: false), closeOnExec: true)
            } catch { number = -Int(error.rawValue) }
        }
        do throws(Errno) {
            let data = bytes(of: UInt32(truncatingIfNeeded: number))
            return try put(SocketOption.controlPIDFD, data, at: address, used: &used, capacity: capacity, current)
        } catch {
            if number >= 0 { _ = try? current.files.remove(Int32(number)) }
            throw error
        }
    }

    /// put_cmsg: cut at the end of the buffer. Returns whether all of it fitted.
    private static func put(
        _ type: Int32, _ data: [UInt8], level: Int32 = SocketOption.levelSocket, at address: GuestAddress, used: inout Int,
        capacity: Int, _ current: CurrentTask
    ) throws(Errno) -> Bool {
        let room = capacity - used
        guard room >= ControlHeader.size else { return false }
        let full = ControlHeader.size + data.count
        let length = min(full, room)
        var bytes = Self.bytes(of: UInt64(length)) + Self.bytes(of: UInt32(bitPattern: level))
        bytes += Self.bytes(of: UInt32(bitPattern: type))
        bytes += data.prefix(length - ControlHeader.size)
        try current.memory.copyOut(bytes, to: address + used)
        used += min(room, ControlHeader.align(full))
        return length == full
    }

    private static func int(_ bytes: [UInt8], _ offset: Int) -> Int32 { Int32(truncatingIfNeeded: load(bytes, offset, 4)) }
    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 { load(bytes, offset, 8) }
    private static func load(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<count { value |= UInt64(bytes[offset + i]) << UInt64(8 * i) }
        return value
    }
    private static func bytes<T: FixedWidthInteger>(of value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: $0 * 8)) }
    }
}
