/// What a sandbox that is an OCI container has beyond a plain one: made by `stockade` from config.json.
public struct ContainerConfiguration: Sendable, Equatable {
    /// One entry of the specification's `mounts`, in order.
    public struct MountRequest: Sendable, Equatable {
        /// `bind` for what comes from the host; else a file system of the sandbox's kernel.
        public var type: [UInt8]
        public var source: [UInt8]
        public var destination: [UInt8]
        /// MS_* of mount(2).
        public var flags: UInt32
        /// The data argument of mount(2).
        public var options: [UInt8]
        /// Index among the configuration's binds; nil for other types.
        public var bind: UInt32?
        public init(
            type: [UInt8], source: [UInt8], destination: [UInt8], flags: UInt32 = 0, options: [UInt8] = [], bind: UInt32? = nil
        ) {
            self.type = type
            self.source = source
            self.destination = destination
            self.flags = flags
            self.options = options
            self.bind = bind
        }
    }
    public struct Device: Sendable, Equatable {
        public var path: [UInt8]
        /// S_IFCHR, S_IFBLK or S_IFIFO with permissions.
        public var mode: UInt32
        public var major: UInt32
        public var minor: UInt32
        public var uid: UInt32
        public var gid: UInt32
        public init(path: [UInt8], mode: UInt32, major: UInt32, minor: UInt32, uid: UInt32, gid: UInt32) {
            self.path = path
            self.mode = mode
            self.major = major
            self.minor = minor
            self.uid = uid
            self.gid = gid
        }
    }
    public struct Setting: Sendable, Equatable {
        public var name: [UInt8]
        public var value: [UInt8]
        public init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// Numbers of users or groups inside, and those that the host's files have for them.
    public struct OwnerRange: Sendable, Equatable {
        public var inside: UInt32
        public var outside: UInt32
        public var count: UInt32
        public init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    public var process = ProcessConfiguration()
    /// Empty: the same inside and outside.
    public var users: [OwnerRange] = []
    public var groups: [OwnerRange] = []
    public var isRootReadOnly = false
    public var mounts: [MountRequest] = []
    public var devices: [Device] = []
    public var maskedPaths: [[UInt8]] = []
    public var readOnlyPaths: [[UInt8]] = []
    public var domainName: [UInt8]?
    /// Names with slashes: paths below /proc/sys.
    public var settings: [Setting] = []
    /// Program of seccomp(2) for all processes, one struct sock_filter a word; empty for none.
    public var filter: [UInt64] = []
    /// Tasks that may exist at a time.
    public var taskLimit: UInt32?
    /// Bytes of memory that the Sentry keeps the guest below, where the host has no control group for it.
    public var memoryLimit: UInt64?
    /// Descriptors 3 and up that the program gets besides its standard streams.
    public var preservedDescriptors: UInt32 = 0

    public init() {}

    func encode(_ w: inout MessageWriter) {
        process.encode(&w)
        for ranges in [users, groups] {
            w.put(UInt32(ranges.count))
            for range in ranges { for word in [range.inside, range.outside, range.count] { w.put(word) } }
        }
        w.put(UInt32(isRootReadOnly ? 1 : 0))
        w.put(UInt32(mounts.count))
        for mount in mounts {
            w.put(mount.type)
            w.put(mount.source)
            w.put(mount.destination)
            w.put(mount.flags)
            w.put(mount.options)
            w.put(mount.bind ?? .max)
        }
        w.put(UInt32(devices.count))
        for device in devices {
            w.put(device.path)
            for word in [device.mode, device.major, device.minor, device.uid, device.gid] { w.put(word) }
        }
        w.put(maskedPaths)
        w.put(readOnlyPaths)
        w.put(UInt32(domainName == nil ? 0 : 1))
        w.put(domainName ?? [])
        w.put(UInt32(settings.count))
        for setting in settings {
            w.put(setting.name)
            w.put(setting.value)
        }
        w.put(taskLimit ?? .max)
        w.put(memoryLimit ?? .max)
        w.put(preservedDescriptors)
        w.put(UInt32(filter.count))
        for instruction in filter { w.put(instruction) }
    }

    init(_ r: inout MessageReader) throws(ControlError) {
        process = try ProcessConfiguration(&r)
        users = try Self.ranges(&r)
        groups = try Self.ranges(&r)
        isRootReadOnly = try r.word("root") != 0
        for _ in 0..<(try r.count("mounts", each: 24)) {
            let type = try r.byteString("mount type")
            let source = try r.byteString("mount source")
            let destination = try r.byteString("mount destination")
            let flags = try r.word("mount flags")
            let options = try r.byteString("mount options")
            let bind = try r.word("mount bind")
            mounts.append(
                MountRequest(
                    type: type, source: source, destination: destination, flags: flags, options: options, bind: bind == .max ? nil : bind))
        }
        for _ in 0..<(try r.count("devices", each: 24)) {
            let path = try r.byteString("device path")
            let mode = try r.word("device"), major = try r.word("device"), minor = try r.word("device")
            let uid = try r.word("device"), gid = try r.word("device")
            devices.append(Device(path: path, mode: mode, major: major, minor: minor, uid: uid, gid: gid))
        }
        maskedPaths = try r.byteStrings("masked paths")
        readOnlyPaths = try r.byteStrings("read-only paths")
        let hasDomain = try r.word("domain name") != 0
        let name = try r.byteString("domain name")
        domainName = hasDomain ? name : nil
        for _ in 0..<(try r.count("settings", each: 8)) {
            let name = try r.byteString("setting name")
            settings.append(Setting(name: name, value: try r.byteString("setting value")))
        }
        let limit = try r.word("task limit")
        taskLimit = limit == .max ? nil : limit
        let memory = try r.wide("memory limit")
        memoryLimit = memory == .max ? nil : memory
        preservedDescriptors = try r.word("preserved descriptors")
        guard preservedDescriptors < 1024 else { throw .malformed("preserved descriptors") }
        for _ in 0..<(try r.count("filter", each: 8)) { filter.append(try r.wide("filter")) }
    }

    private static func ranges(_ r: inout MessageReader) throws(ControlError) -> [OwnerRange] {
        var result: [OwnerRange] = []
        for _ in 0..<(try r.count("owners", each: 12)) {
            let inside = try r.word("owners"), outside = try r.word("owners")
            result.append(OwnerRange(inside: inside, outside: outside, count: try r.word("owners")))
        }
        return result
    }
}
