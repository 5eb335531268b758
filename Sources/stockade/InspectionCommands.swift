import ArgumentParser
import HostOS
import LinuxABI
import OCIRuntime
import SandboxControl

struct StateCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "state", abstract: "Print the state of a container.")
    @Argument var id: String
    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        let runtime = try context.runtime()
        let record = try runtime.store.record(id)
        Output.write(record.stateText(try runtime.status(of: record)).text(indent: "  "))
        return 0
    }
}

struct ListCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List containers.")
    @Option(name: [.short, .long], help: "table or json.") var format = "table"
    @Flag(name: [.short, .long], help: "Ids alone.") var quiet = false

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        let runtime = try context.runtime()
        var rows: [[String]] = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
        var states: [JSONText] = []
        for id in try runtime.store.ids() {
            if quiet {
                Output.write(id + "\n")
                continue
            }
            // One that is damaged or that does not answer must not hide the others.
            do throws(RuntimeError) {
                let record = try runtime.store.record(id)
                let status = try runtime.status(of: record)
                states.append(record.stateText(status))
                rows.append([id, String(status == .stopped ? 0 : record.pid ?? 0), status.rawValue, record.bundle, record.created, record.owner])
            } catch { context.log.warn("\(id): \(error.message)") }
        }
        if quiet { return 0 }
        switch format {
        case "table": Output.write(Table.text(rows))
        case "json": Output.write(states.isEmpty ? "null" : JSONText.array(states).text())
        default: throw RuntimeError("invalid format option")
        }
        return 0
    }
}

/// Columns as Go's tabwriter makes them: at least 12 wide, three blanks apart.
enum Table {
    static func text(_ rows: [[String]]) -> String {
        var widths: [Int] = []
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], cell.count)
            }
        }
        return rows.map { row in
            row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: max(12, widths[index] + 3) - cell.count)
            }.joined() + "\n"
        }.joined()
    }
}

struct ProcessesCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "ps", abstract: "List the processes of a container, with their numbers inside.")
    @Option(name: [.short, .long], help: "table or json.") var format = "table"
    @Argument var id: String
    @Argument(parsing: .captureForPassthrough) var options: [String] = []

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        let runtime = try context.runtime()
        guard try runtime.status(of: try runtime.store.record(id)) != .stopped else { throw RuntimeError("container not running") }
        guard case .processes(let list) = try runtime.ask(id, .processes) else { throw RuntimeError("container \(id) gave a strange answer") }
        switch format {
        case "json": Output.write(JSONText.array(list.map { .number(Int64($0.pid)) }).text())
        case "table":
            var rows = [["UID", "PID", "PPID", "TIME", "CMD"]]
            for process in list {
                let seconds = process.processorTime / 1_000_000_000
                func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
                rows.append([
                    String(process.uid), String(process.pid), String(process.parent),
                    "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))", String(decoding: process.command, as: UTF8.self),
                ])
            }
            Output.write(Table.text(rows))
        default: throw RuntimeError("invalid format option")
        }
        return 0
    }
}

struct EventsCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "events", abstract: "Print a container's consumption, once or at intervals.")
    @Flag(help: "Once.") var stats = false
    @Option(help: "Seconds between two, such as 5s.") var interval = "5s"
    @Argument var id: String

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        let runtime = try context.runtime()
        let text = interval.hasSuffix("s") ? String(interval.dropLast()) : interval
        guard let seconds = Double(text), seconds > 0, seconds < 1e6 else { throw RuntimeError("duration interval must be greater than 0") }
        while true {
            guard try runtime.status(of: try runtime.store.record(id)) != .stopped else {
                if stats { throw RuntimeError("container with id \(id) is not running") }
                return 0
            }
            guard case .statistics(let s) = try runtime.ask(id, .statistics) else { throw RuntimeError("container \(id) gave a strange answer") }
            Output.write(Self.line(id, s).text() + "\n")
            if stats { return 0 }
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: Int64(seconds * 1e9)))
        }
    }

    private static func line(_ id: String, _ s: ContainerReply.Statistics) -> JSONText {
        var pids: [(key: String, value: JSONText)] = [("current", .unsigned(s.tasks))]
        if s.taskLimit != .max { pids.append(("limit", .unsigned(s.taskLimit))) }
        return .object([
            ("type", .string("stats")), ("id", .string(id)),
            (
                "data",
                .object([
                    (
                        "cpu",
                        .object([
                            (
                                "usage",
                                .object([
                                    ("total", .unsigned(s.userTime + s.systemTime)), ("kernel", .unsigned(s.systemTime)),
                                    ("user", .unsigned(s.userTime)),
                                ])
                            ), ("throttling", .object([])),
                        ])
                    ), ("cpuset", .object([])),
                    ("memory", .object([("usage", .object([("usage", .unsigned(s.memory)), ("limit", .number(0)), ("failcnt", .number(0))]))])),
                    ("pids", .object(pids)), ("blkio", .object([])), ("hugetlb", .object([])), ("intel_rdt", .object([])),
                    ("network_interfaces", .null),
                ])
            ),
        ])
    }
}

struct UpdateCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "update", abstract: "Change the resources of a container.")
    @Option(name: [.short, .long], help: "File with linux.resources as JSON; - is standard input.") var resources: String?
    @Option var blkioWeight: UInt16?
    @Option var cpuPeriod: UInt64?
    @Option var cpuQuota: Int64?
    @Option var cpuShare: UInt64?
    @Option var cpuRtPeriod: UInt64?
    @Option var cpuRtRuntime: Int64?
    @Option var cpusetCpus: String?
    @Option var cpusetMems: String?
    @Option var memory: String?
    @Option var memoryReservation: String?
    @Option var memorySwap: String?
    @Option var pidsLimit: Int64?
    @Argument var id: String

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        var wanted = RuntimeSpec.Resources()
        if let resources {
            let bytes: [UInt8]
            do throws(Errno) {
                bytes = try resources == "-" ? HostPaths.readAll(0) : HostPaths.read(Array(resources.utf8))
            } catch { throw RuntimeError("\(resources) cannot be read: \(error)") }
            wanted = try SpecJSON.decode(bytes, resources)
        } else {
            var memory = RuntimeSpec.Memory(), cpu = RuntimeSpec.CPU()
            memory.limit = try Self.bytes(self.memory, "--memory")
            memory.reservation = try Self.bytes(memoryReservation, "--memory-reservation")
            memory.swap = try Self.bytes(memorySwap, "--memory-swap")
            cpu.period = cpuPeriod
            cpu.quota = cpuQuota
            cpu.shares = cpuShare
            cpu.realtimePeriod = cpuRtPeriod
            cpu.realtimeRuntime = cpuRtRuntime
            cpu.cpus = cpusetCpus
            cpu.mems = cpusetMems
            wanted.memory = memory
            wanted.cpu = cpu
            if let pidsLimit { wanted.pids = .init(limit: pidsLimit) }
            if let blkioWeight {
                var block = RuntimeSpec.BlockIO()
                block.weight = blkioWeight
                wanted.blockIO = block
            }
        }
        try context.runtime().update(id, wanted)
        return 0
    }

    /// `-1`, `1024`, `64k`, `1g`.
    private static func bytes(_ text: String?, _ option: String) throws(RuntimeError) -> Int64? {
        guard var text, !text.isEmpty else { return nil }
        let shifts: [Character: Int64] = ["k": 10, "m": 20, "g": 30, "t": 40]
        var shift: Int64 = 0
        if text.last == "b" || text.last == "B" { text.removeLast() }
        if let last = text.lowercased().last, let found = shifts[last] {
            shift = found
            text.removeLast()
        }
        guard let number = Int64(text) else { throw RuntimeError("invalid value for \(option): \(text)") }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { throw RuntimeError("invalid value for \(option): too large") }
        return product
    }
}

struct FeaturesCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "features", abstract: "Print what this runtime can do.")
    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        Output.write(Features.text.text(indent: "    ") + "\n")
        return 0
    }
}

struct SpecCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "spec", abstract: "Write a configuration to start from.")
    @Option(name: [.short, .long], help: "The bundle's directory; default: the working directory.") var bundle: String?
    @Flag(name: .customLong("rootless"), help: "For a caller without root.") var isRootless = false

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        let path = Paths.absolute(bundle ?? ".") + "/config.json"
        if HostPaths.exists(Array(path.utf8)) { throw RuntimeError("File config.json exists. Remove it first") }
        let text = Template.configuration(isRootless: isRootless).text(indent: "\t") + "\n"
        do throws(Errno) { try HostPaths.replace(Array(path.utf8), Array(text.utf8), mode: 0o666) } catch {
            throw RuntimeError("\(path) cannot be written: \(error)")
        }
        return 0
    }
}
