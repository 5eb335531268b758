import Kernel
import LinuxABI
import Memory
import Testing
import VirtualFileSystem

@testable import FileSystems

@Suite struct ProcfsTextTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: maps

    private func mapsLine(_ line: MapsLine) -> String {
        var builder = TextBuilder()
        line.append(to: &builder)
        return text(builder.bytes)
    }

    @Test func mapsLineOfAFileHasItsNameInColumn73() {
        var line = MapsLine(
            range: GuestRange(start: GuestAddress(0x558a_0656_8000), end: GuestAddress(0x558a_0656_a000)), protection: .read,
            isShared: false)
        line.device = DeviceNumber(major: 254, minor: 0)
        line.inode = 254163
        line.name = Array("/usr/bin/head".utf8)
        #expect(mapsLine(line) == "558a06568000-558a0656a000 r--p 00000000 fe:00 254163                     /usr/bin/head\n")
    }

    @Test func mapsLineWithoutNameEndsAfterTheInode() {
        let line = MapsLine(
            range: GuestRange(start: GuestAddress(0x1_0000), end: GuestAddress(0x1_1000)), protection: [.read, .write], isShared: true)
        #expect(mapsLine(line) == "00010000-00011000 rw-s 00000000 00:00 0 \n")
    }

    @Test func mapsLineEscapesNewlines() {
        var line = MapsLine(range: GuestRange(start: GuestAddress(0), end: GuestAddress(0x1000)), protection: [], isShared: false)
        line.name = Array("a b\nc".utf8)
        #expect(mapsLine(line).hasSuffix(" a b\\012c\n"))
    }

    // MARK: stat

    @Test func statLineHas52Fields() {
        var line = StatLine()
        line.id = 42
        line.name = Array("my (odd) name".utf8)
        line.state = "S"
        line.parent = 1
        line.usage.user = 1_230_000_000
        line.startTime = 367715
        let printed = text(line.line)
        #expect(printed.hasPrefix("42 (my (odd) name) S 1 0 0 0 -1 4194304 0 0 0 0 123 0 0 0 20 0 1 0 367715 0 0 18446744073709551615 "))
        #expect(printed.hasSuffix("\n"))
        // Readers split behind the last parenthesis.
        let rest = printed[printed.index(after: printed.lastIndex(of: ")")!)...]
        #expect(rest.split(separator: " ").count == 50)
    }

    @Test func statLineHidesAddressesFromOthers() {
        var line = StatLine()
        line.size = 4096
        line.image.stackStart = GuestAddress(0x7000)
        line.showsAddresses = false
        let fields = text(line.line).split(separator: ") ")[1].split(separator: " ")
        // Fields 26 to 28: startcode, endcode, startstack.
        #expect(fields[23...25] == ["1", "1", "0"])
        #expect(fields.count == 50)
    }

    // MARK: status

    @Test func statusShowsIdentitiesSignalsAndCapabilities() {
        var status = StatusText()
        status.name = Array("cat".utf8)
        status.umask = 0o022
        status.id = 7
        status.groupID = 7
        status.parent = 3
        status.credentials = Credentials(uid: 1000, gid: 100, groups: [4, 24], capabilities: .all)
        status.blocked = SignalSet(rawValue: 0x1_0000)
        status.memory = MemoryStatistics()
        status.memory?.size = 3060 << 10
        let lines = text(status.text).split(separator: "\n", omittingEmptySubsequences: false)
        for line in [
            "Name:\tcat", "Umask:\t0022", "State:\tR (running)", "Tgid:\t7", "Pid:\t7", "PPid:\t3", "Uid:\t1000\t1000\t1000\t1000",
            "Gid:\t100\t100\t100\t100", "Groups:\t4 24 ", "VmSize:\t    3060 kB", "SigBlk:\t0000000000010000",
            "CapEff:\t000001ffffffffff", "Cpus_allowed:\t1", "Cpus_allowed_list:\t0", "NoNewPrivs:\t0",
        ] { #expect(lines.contains(Substring(line)), "\(line)") }
    }

    @Test func statusOfAZombieHasNoMemory() {
        var status = StatusText()
        status.state = "Z"
        let printed = text(status.text)
        #expect(printed.contains("State:\tZ (zombie)\n"))
        #expect(!printed.contains("VmSize"))
        #expect(!printed.contains("Umask"))
    }

    // MARK: others

    @Test func limitsAreInColumns() {
        let printed = text(LimitsText.text { ResourceLimit.initial[Int($0.rawValue)] })
        let lines = printed.split(separator: "\n")
        #expect(lines[0] == "Limit                     Soft Limit           Hard Limit           Units     ")
        #expect(lines[4] == "Max stack size            8388608              unlimited            bytes     ")
        #expect(lines[14] == "Max nice priority         0                    0                    ")
    }

    @Test func processorMasksPrintAsLinuxDoes() {
        #expect(ProcessorMask(first: 2).hex == "3")
        #expect(ProcessorMask(first: 2).list == "0-1")
        #expect(ProcessorMask(only: 1, of: 2).list == "1")
        #expect(ProcessorMask(first: 36).hex == "f,ffffffff")
        #expect(ProcessorMask(only: 0, of: 36).hex == "0,00000001")
        #expect(ProcessorMask([0, 1, 4, 6, 7], of: 8).list == "0-1,4,6-7")
        #expect(ProcessorMask([], of: 8).list == "")
    }

    @Test func numbersParseAsKstrtoll() {
        #expect(TextNumber.parse(Array("-17\n".utf8)) == -17)
        #expect(TextNumber.parse(Array(" 0x10".utf8)) == 16)
        #expect(TextNumber.parse(Array("010".utf8)) == 8)
        #expect(TextNumber.parse(Array("1 2".utf8)) == nil)
        #expect(TextNumber.parse(Array("9223372036854775808".utf8)) == nil)
        #expect(TextNumber.parse([]) == nil)
    }

    @Test func onlyCanonicalNumbersNameProcesses() {
        #expect(ProcName.id(FileName("17")) == 17)
        #expect(ProcName.id(FileName("017")) == nil)
        #expect(ProcName.id(FileName("17a")) == nil)
        #expect(ProcName.id(FileName("99999999999")) == nil)
    }

    @Test func processorParagraphsAreCut() {
        let facts = MachineFacts(processorCount: 1, processorInformation: Array("processor\t: 0\nx\n\nprocessor\t: 1\nx\n\n".utf8))
        #expect(text(facts.processorInformation) == "processor\t: 0\nx\n\n")
    }

    @Test func randomIdentitiesAreVersionFour() {
        let identity = RandomIdentity.make()
        #expect(identity.utf8.count == 36)
        #expect(Array(identity)[14] == "4")
        #expect("89ab".contains(Array(identity)[19]))
    }

    // MARK: mounts

    @Test func mountsEscapeWhiteSpace() throws {
        let sandbox = try Sandbox.tmpfs()
        try sandbox.makeDirectory("/a b")
        let system = SysFileSystem(processorCount: 2)
        try sandbox.mountNamespace.mount(system, at: try sandbox.path("/a b"), flags: .readOnly, source: Array("sysfs".utf8))
        let printer = MountText(namespace: sandbox.mountNamespace, root: sandbox.root)
        #expect(text(printer.mounts()).split(separator: "\n").last == "sysfs /a\\040b sysfs ro 0 0")
        #expect(text(printer.mountInformation()).split(separator: "\n").last == "3 2 0:22 / /a\\040b ro - sysfs sysfs rw")
    }
}

@Suite struct SysfsTests {
    private func sandbox() throws -> Sandbox { Sandbox(SysFileSystem(processorCount: 2)) }

    @Test func processorsAreOnline() throws {
        let sandbox = try sandbox()
        #expect(try sandbox.contents("/devices/system/cpu/online") == "0-1\n")
        #expect(try sandbox.list("/devices/system/cpu").filter { $0.hasPrefix("cpu") } == ["cpu0", "cpu1"])
        #expect(try sandbox.contents("/devices/system/cpu/cpu1/topology/core_id") == "1\n")
    }

    @Test func linksLeadToDevices() throws {
        #expect(try sandbox().contents("/class/net/lo/mtu") == "65536\n")
    }

    @Test func namesCannotBeMadeOrChanged() throws {
        let sandbox = try sandbox()
        #expect(throws: Errno.EROFS) { try sandbox.open("/kernel/mm/transparent_hugepage/enabled", .writeOnly) }
        #expect(throws: Errno.EACCES) { try sandbox.makeDirectory("/x") }
        #expect(throws: Errno.EPERM) { try sandbox.unlink("/kernel/profiling") }
    }

    @Test func listingGoesOnFromAPosition() throws {
        let sandbox = try sandbox()
        let directory = try sandbox.open("/", .directory)
        var names: [String] = []
        var position: Int64 = 0
        while true {
            var emitted = 0
            position = try directory.operations.readDirectory(from: position, caller: sandbox) {
                if emitted == 2 { return false }
                emitted += 1
                names.append(String(decoding: $0.name, as: UTF8.self))
                return true
            }
            if emitted == 0 { break }
        }
        #expect(names.prefix(3) == [".", "..", "block"])
        #expect(Set(names).count == names.count)
        #expect(names.last == "power")
    }

    @Test func contentIsReadInPieces() throws {
        let sandbox = try sandbox()
        let file = try sandbox.open("/kernel/mm/transparent_hugepage/hpage_pmd_size")
        #expect(try sandbox.read(file, 3) == Array("209".utf8))
        #expect(try sandbox.read(file, 100, at: 3) == Array("7152\n".utf8))
        #expect(try sandbox.read(file, 100, at: 8).isEmpty)
    }
}
