import Kernel
import LinuxABI
import VirtualFileSystem

/// add_key(2), request_key(2), keyctl(2).
extension SystemCallFamilies {
    public static let keys: [SystemCallEntry] = [
        .init(248, "add_key", sysAddKey),
        .init(249, "request_key", sysRequestKey),
        .init(250, "keyctl", sysKeyctl),
    ]

    @Sendable static func sysAddKey(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let size = a[3]
        guard size <= 1024 * 1024 - 1 else { throw .EINVAL }
        let type = try current.keyTypeName(a.address(0))
        let description = a.address(1).isNull ? [] : try current.keyText(a.address(1))
        if description.first == UInt8(ascii: "."), type.starts(with: "keyring".utf8) { throw .EPERM }
        let payload = size == 0 ? [] : try current.memory.copyIn(a.address(2), count: Int(size))
        let ring = try current.key(a.int(4), create: true, need: .right(.write))
        guard let type = KeyType(name: type) else { throw .ENODEV }
        return Int(try current.addKey(type, description, payload, to: ring).serial)
    }

    /// request_key(2): there is no helper program to make a key that is not there.
    @Sendable static func sysRequestKey(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let type = try current.keyTypeName(a.address(0))
        let description = try current.keyText(a.address(1))
        if !a.address(2).isNull { _ = try current.keyText(a.address(2)) }
        let target = a.int(3) == 0 ? nil : try current.key(a.int(3), create: true, need: .right(.write))
        guard let type = KeyType(name: type) else { throw .ENOKEY }
        let found = try current.requestKey(type, description)
        if let target {
            try current.require(.link, found)
            try target.key.makeLink(to: found.key)
        }
        try found.key.validate()
        return Int(found.key.serial)
    }
}

extension CurrentTask {
    /// The name of a key type. - Throws: EFAULT; EINVAL for none and for long ones; EPERM for those of the kernel.
    func keyTypeName(_ address: GuestAddress) throws(Errno) -> [UInt8] {
        let name: [UInt8]
        do throws(Errno) {
            name = try memory.copyInString(address, limit: 32)
        } catch {
            throw error == .ENAMETOOLONG ? .EINVAL : error
        }
        guard let first = name.first else { throw .EINVAL }
        if first == UInt8(ascii: ".") { throw .EPERM }
        return name
    }

    /// A description or another text of up to a page. - Throws: EFAULT, EINVAL.
    func keyText(_ address: GuestAddress) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try memory.copyInString(address, limit: 4096)
        } catch {
            throw error == .ENAMETOOLONG ? .EINVAL : error
        }
    }
}
