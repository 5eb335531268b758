import HostOS
import LinuxABI
import OCIRuntime
import SandboxControl

struct StateCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "state", summary: "print the state of a container", arguments: CommandSyntax.container, count: .exactly(1))
    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        let runtime = try context.runtime()
        let record = try runtime.store.record(words.id)
        Output.write(record.stateText(try runtime.status(of: record)).text(indent: "  "))
        return 0
    }
}

struct ListCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "list", summary: "list containers", options: [Format.option, .flag("quiet", "q", help: "ids alone")])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        let format = try Format(words)
        let quiet = try words.isSet("quiet")
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
        case .table: Output.write(Table.text(rows))
        case .json: Output.write(states.isEmpty ? "null" : JSONText.array(states).text())
        }
        return 0
    }
}

/// How lists are printed.
enum Format: String {
    case table, json
    static let option = CommandSyntax.Option.value("format", "f", help: "table or json (default: table)")
    init(_ words: Words) throws(RuntimeError) {
        guard let format = Format(rawValue: words.text("format") ?? "table") else { throw RuntimeError("invalid format option") }
        self = format
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
    let syntax = CommandSyntax(
        name: "ps", summary: "list the processes of a container, with their numbers inside", arguments: "\(CommandSyntax.container) [ps options]",
        count: .atLeast(1), stopsAtArgument: true, options: [Format.option])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        let id = words.id, format = try Format(words)
        let runtime = try context.runtime()
        guard try runtime.status(of: try runtime.store.record(id)) != .stopped else { throw RuntimeError("container not running") }
        guard case .processes(let list) = try runtime.ask(id, .processes) else { throw RuntimeError("container \(id) gave a strange answer") }
        switch format {
        case .json: Output.write(JSONText.array(list.map { .number(Int64($0.pid)) }).text())
        case .table:
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
        }
        return 0
    }
}

struct EventsCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "events", summary: "print a container's consumption, once or at intervals", arguments: CommandSyntax.container,
        count: .exactly(1),
        options: [
            .flag("stats", help: "once"), .value("interval", help: "time between two, such as 5s (default: 5s)"),
        ])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        let runtime = try context.runtime()
        let id = words.id, stats = try words.isSet("stats"), interval = words.text("interval") ?? "5s"
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
    let syntax = CommandSyntax(
        name: "update", summary: "change the resources of a container", arguments: CommandSyntax.container, count: .exactly(1),
        options: [
            .value("resources", "r", help: "file with linux.resources as JSON; - is standard input; other options are ignored then"),
            .value("blkio-weight", help: "weight of block input and output, 10 to 1000"),
            .value("cpu-period", help: "period of the processor quota, in microseconds"),
            .value("cpu-quota", help: "processor time in a period, in microseconds"),
            .value("cpu-share", help: "processor shares, relative to other containers"),
            .value("cpu-rt-period", help: "period of the real-time quota, in microseconds"),
            .value("cpu-rt-runtime", help: "real-time processor time in a period, in microseconds"),
            .value("cpuset-cpus", help: "processors to use"), .value("cpuset-mems", help: "memory nodes to use"),
            .value("memory", help: "memory limit in bytes; k, m, g and t multiply"),
            .value("memory-reservation", help: "memory that is kept when the host runs short"),
            .value("memory-swap", help: "memory and swap together; -1 for no limit"),
            .value("pids-limit", help: "number of tasks; 0 or less for no limit"),
            .value("l3-cache-schema", help: "not supported"), .value("mem-bw-schema", help: "not supported"),
        ])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        for name in ["l3-cache-schema", "mem-bw-schema"] where !(words.text(name) ?? "").isEmpty {
            throw RuntimeError("--\(name): Intel RDT is not supported")
        }
        var wanted = RuntimeSpec.Resources()
        if let resources = words.text("resources") {
            let bytes: [UInt8]
            do throws(Errno) {
                bytes = try resources == "-" ? HostPaths.readAll(0) : HostPaths.read(Array(resources.utf8))
            } catch { throw RuntimeError("\(resources) cannot be read: \(error)") }
            wanted = try SpecJSON.decode(bytes, resources)
        } else {
            var memory = RuntimeSpec.Memory(), cpu = RuntimeSpec.CPU()
            memory.limit = try Self.bytes(words.text("memory"), "--memory")
            memory.reservation = try Self.bytes(words.text("memory-reservation"), "--memory-reservation")
            memory.swap = try Self.bytes(words.text("memory-swap"), "--memory-swap")
            cpu.period = try words.number("cpu-period")
            cpu.quota = try words.number("cpu-quota")
            cpu.shares = try words.number("cpu-share")
            cpu.realtimePeriod = try words.number("cpu-rt-period")
            cpu.realtimeRuntime = try words.number("cpu-rt-runtime")
            cpu.cpus = words.text("cpuset-cpus")
            cpu.mems = words.text("cpuset-mems")
            wanted.memory = memory
            wanted.cpu = cpu
            if let pidsLimit = try words.number("pids-limit", as: Int64.self) { wanted.pids = .init(limit: pidsLimit) }
            if let blkioWeight = try words.number("blkio-weight", as: UInt16.self) {
                var block = RuntimeSpec.BlockIO()
                block.weight = blkioWeight
                wanted.blockIO = block
            }
        }
        try context.runtime().update(words.id, wanted)
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
    let syntax = CommandSyntax(name: "features", summary: "print what this runtime can do")
    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        Output.write(Features.text.text(indent: "    ") + "\n")
        return 0
    }
}

struct SpecCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "spec", summary: "write a configuration to start from",
        options: [
            .value("bundle", "b", help: "the bundle's directory; default: the working directory"),
            .flag("rootless", help: "for a caller without root"),
        ])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        let path = Paths.absolute(words.text("bundle") ?? ".") + "/config.json"
        if HostPaths.exists(Array(path.utf8)) { throw RuntimeError("File config.json exists. Remove it first") }
        let text = Template.configuration(isRootless: try words.isSet("rootless")).text(indent: "\t") + "\n"
        do throws(Errno) { try HostPaths.replace(Array(path.utf8), Array(text.utf8), mode: 0o666) } catch {
            throw RuntimeError("\(path) cannot be written: \(error)")
        }
        return 0
    }
}
