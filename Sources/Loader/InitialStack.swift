import HostOS
import LinuxABI
import Memory
import Platform
import VirtualFileSystem

/// What the loader knows for the auxiliary vector (getauxval(3)).
struct AuxiliaryVector {
    var programHeaders: UInt64 = 0
    var programHeaderCount: UInt64 = 0
    var interpreterBase: UInt64 = 0
    var entry: UInt64 = 0
    var isSecure = false

    enum Key: UInt64 {
        case null = 0, programHeaders = 3, programHeaderSize = 4, programHeaderCount = 5, pageSize = 6, base = 7, flags = 8, entry = 9
        case uid = 11, effectiveUID = 12, gid = 13, effectiveGID = 14, platform = 15, capabilities = 16, clockTicks = 17, secure = 23
        case random = 25, capabilities2 = 26, executedName = 31, vdso = 33, minimumSignalStack = 51
    }
}

/// The stack that a program starts with: argc, argv, envp, auxiliary vector, and the strings above them (System V ABI, 3.4.1), laid out
/// as Linux does.
struct InitialStack {
    var pointer: GuestAddress
    var arguments: GuestRange
    var environment: GuestRange
    var auxiliaryVector: [UInt8]

    /// Room below the first use that execve maps at once.
    private static let headroom: UInt64 = 128 << 10

    static func build(
        _ memory: AddressSpace, arguments: [[UInt8]], environment: [[UInt8]], executedName: [UInt8], vector: AuxiliaryVector,
        credentials: Credentials, stackLimit: UInt64, isExecutable: Bool, isRandomized: Bool, vdso: VDSOPlacement?
    ) throws(Errno) -> InitialStack {
        let top = memory.layout.stackTop.rawValue

        // From the top: a null word, the name of the program, the environment, the arguments.
        var address = top - 8
        address -= UInt64(executedName.count) + 1
        let nameAddress = address
        let environmentSize = environment.reduce(0) { $0 + UInt64($1.count) + 1 }
        let argumentsSize = arguments.reduce(0) { $0 + UInt64($1.count) + 1 }
        let environmentStart = address - environmentSize
        let argumentsStart = environmentStart - argumentsSize
        address = argumentsStart
        if isRandomized { address -= UInt64.random(in: 0..<8192) }
        address &= ~15
        let platformName = Array("x86_64".utf8) + [0]
        address -= UInt64(platformName.count)
        let platformAddress = address
        address -= 16
        let randomAddress = address

        var auxiliary: [UInt64] = []
        func add(_ key: AuxiliaryVector.Key, _ value: UInt64) { auxiliary += [key.rawValue, value] }
        if let vdso, !vdso.code.isEmpty { add(.vdso, vdso.code.start.rawValue) }
        add(.minimumSignalStack, max(HostProcessor.auxiliaryValue(AuxiliaryVector.Key.minimumSignalStack.rawValue), 2048))
        add(.capabilities, HostProcessor.auxiliaryValue(AuxiliaryVector.Key.capabilities.rawValue))
        add(.pageSize, Page.size)
        add(.clockTicks, 100)
        add(.programHeaders, vector.programHeaders)
        add(.programHeaderSize, UInt64(ELFHeader.programHeaderSize))
        add(.programHeaderCount, vector.programHeaderCount)
        add(.base, vector.interpreterBase)
        add(.flags, 0)
        add(.entry, vector.entry)
        add(.uid, UInt64(credentials.shownUser(credentials.realUID)))
        add(.effectiveUID, UInt64(credentials.shownUser(credentials.effectiveUID)))
        add(.gid, UInt64(credentials.shownGroup(credentials.realGID)))
        add(.effectiveGID, UInt64(credentials.shownGroup(credentials.effectiveGID)))
        add(.secure, vector.isSecure ? 1 : 0)
        add(.random, randomAddress)
        add(.capabilities2, HostProcessor.auxiliaryValue(AuxiliaryVector.Key.capabilities2.rawValue))
        add(.executedName, nameAddress)
        add(.platform, platformAddress)
        add(.null, 0)

        let words = arguments.count + environment.count + 3
        let pointer = (randomAddress - UInt64(words * 8) - UInt64(auxiliary.count * 8)) & ~15

        // One image from the stack pointer to the top, copied at once.
        var image = [UInt8]()
        image.reserveCapacity(Int(top - pointer))
        put(UInt64(arguments.count), &image)
        var next = argumentsStart
        for string in arguments {
            put(next, &image)
            next += UInt64(string.count) + 1
        }
        put(0, &image)
        for string in environment {
            put(next, &image)
            next += UInt64(string.count) + 1
        }
        put(0, &image)
        for word in auxiliary { put(word, &image) }
        pad(to: randomAddress, from: pointer, &image)
        var generator = SystemRandomNumberGenerator()
        put(generator.next(), &image)
        put(generator.next(), &image)
        image += platformName
        pad(to: argumentsStart, from: pointer, &image)
        for list in [arguments, environment, [executedName]] {
            for string in list {
                image += string
                image.append(0)
            }
        }
        put(0, &image)

        let used = top - Page.down(pointer)
        let room = min(headroom, stackLimit > used ? Page.down(stackLimit - used) : 0)
        var protection: Protection = [.read, .write]
        if isExecutable { protection.insert(.execute) }
        _ = try memory.map(
            AddressSpace.MapRequest(
                address: GuestAddress(top - used - room), length: used + room, protection: protection,
                flags: [.private, .anonymous, .fixed, .growsDown, .stack]))
        try memory.copyOut(image, to: GuestAddress(pointer))

        var bytes: [UInt8] = []
        for word in auxiliary { put(word, &bytes) }
        return InitialStack(
            pointer: GuestAddress(pointer),
            arguments: GuestRange(start: GuestAddress(argumentsStart), end: GuestAddress(environmentStart)),
            environment: GuestRange(start: GuestAddress(environmentStart), end: GuestAddress(nameAddress)), auxiliaryVector: bytes)
    }

    private static func put(_ value: UInt64, _ bytes: inout [UInt8]) {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift * 8))) }
    }
    private static func pad(to address: UInt64, from start: UInt64, _ bytes: inout [UInt8]) {
        let wanted = Int(address - start)
        if bytes.count < wanted { bytes += [UInt8](repeating: 0, count: wanted - bytes.count) }
    }
}
