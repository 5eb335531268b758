import LinuxABI
import Memory
import VirtualFileSystem

/// The sandbox's one network device, `lo`: netdevice(7).
enum LoopbackDevice {
    static let name: [UInt8] = Array("lo".utf8)
    static let index: Int32 = 1
    /// IFF_UP | IFF_LOOPBACK | IFF_RUNNING; IFF_LOWER_UP too where 32 bits are reported.
    static let flags: UInt16 = 0x49
    static let allFlags: UInt32 = 0x1_0049
    static let downFlags: UInt32 = 0x8
    static let mtu: UInt32 = 65536
    /// ARPHRD_LOOPBACK
    static let hardwareType: UInt16 = 772

    private static let requestSize = 40
    private static let nameSize = 16

    /// SIOCGIF* of `struct ifreq`. - Throws: ENODEV for another name, ENOTTY for another request.
    static func ioctl(_ request: UInt32, argument: UInt64, _ network: NetworkStack, caller: any Caller) throws(Errno) -> Int {
        let address = GuestAddress(argument)
        switch request {
        case IoctlRequest.SIOCGIFCONF:
            return try list(address, caller)
        case IoctlRequest.SIOCGIFNAME:
            guard try caller.memory.load(Int32.self, at: address + nameSize) == index else { throw .ENODEV }
            try caller.memory.copyOut(padded(name, nameSize), to: address)
        case IoctlRequest.SIOCGIFFLAGS: try reply(Bytes.of(network.isUp ? flags : UInt16(downFlags)), address, caller)
        case IoctlRequest.SIOCSIFFLAGS:
            let given = try caller.memory.copyIn(address, count: nameSize).prefix { $0 != 0 }
            guard Array(given) == name else { throw .ENODEV }
            guard caller.credentials.has(.netAdmin, in: network.owner) else { throw .EPERM }
            network.isUp = try caller.memory.load(UInt16.self, at: address + nameSize) & 1 != 0
        case IoctlRequest.SIOCGIFINDEX: try reply(Bytes.of(index), address, caller)
        case IoctlRequest.SIOCGIFMTU: try reply(Bytes.of(Int32(mtu)), address, caller)
        case IoctlRequest.SIOCGIFADDR, IoctlRequest.SIOCGIFNETMASK:
            guard network.hasAddress else { throw .EADDRNOTAVAIL }
            try reply(ipv4(request == IoctlRequest.SIOCGIFADDR ? 0x7f00_0001 : 0xff00_0000), address, caller)
        case IoctlRequest.SIOCGIFHWADDR: try reply(padded(Bytes.of(hardwareType), 16), address, caller)
        default: throw .ENOTTY
        }
        return 0
    }

    private static func ipv4(_ value: UInt32) -> [UInt8] { Endpoint(InternetAddress(v4: value), 0).encoded(family: AddressFamily.inet) }
    private static func padded(_ bytes: [UInt8], _ count: Int) -> [UInt8] { bytes + [UInt8](repeating: 0, count: count - bytes.count) }

    private static func reply(_ value: [UInt8], _ address: GuestAddress, _ caller: any Caller) throws(Errno) {
        let given = try caller.memory.copyIn(address, count: nameSize).prefix { $0 != 0 }
        guard Array(given) == name else { throw .ENODEV }
        try caller.memory.copyOut(value, to: address + nameSize)
    }

    /// SIOCGIFCONF: `struct ifconf`, a length and a pointer to room for `struct ifreq`s.
    private static func list(_ address: GuestAddress, _ caller: any Caller) throws(Errno) -> Int {
        let room = try caller.memory.load(Int32.self, at: address)
        let buffer = try caller.memory.load(GuestAddress.self, at: address + 8)
        if buffer.isNull || Int(room) >= requestSize {
            if !buffer.isNull {
                try caller.memory.copyOut(padded(padded(name, nameSize) + ipv4(0x7f00_0001), requestSize), to: buffer)
            }
            try caller.memory.store(Int32(requestSize), at: address)
        } else {
            try caller.memory.store(Int32(0), at: address)
        }
        return 0
    }
}
