/// What goes over the control socket in a container's state directory, between a command line and the Sentry. One connection carries any number of
/// requests, each answered before the next is read; `exec` and `wait` are answered a second time when the process has ended.
public enum ContainerRequest: Sendable, Equatable {
    case status
    /// Runs the program of a created container. `isHeld`: not before `release`, so that processes which `exec` adds run ahead of it.
    case start(isHeld: Bool)
    case release
    /// To process `pid`, 1 for the container's first, or to all. `fromTerminal`: to the foreground group of the terminal of the process that
    /// this connection started.
    case signal(pid: Int32, number: Int32, all: Bool, fromTerminal: Bool)
    /// The message carries the process's standard streams, and further descriptors for 3 and up. `ignoresPause`: in a paused container it
    /// is made all the same, and runs when the container goes on.
    case exec(ProcessConfiguration, ignoresPause: Bool = false)
    case pause
    case resume
    case processes
    case statistics
    case wait
    /// The number of tasks that may exist; nil for no limit.
    case limitTasks(UInt32?)
}

public enum ContainerReply: Sendable, Equatable {
    public enum Phase: UInt32, Sendable { case created = 1, running, paused, stopped }
    public struct Process: Sendable, Equatable {
        public var pid: Int32
        public var parent: Int32
        public var uid: UInt32
        /// Nanoseconds.
        public var processorTime: UInt64
        /// Nanoseconds since it started.
        public var age: UInt64
        public var command: [UInt8]
        public init(pid: Int32, parent: Int32, uid: UInt32, processorTime: UInt64, age: UInt64, command: [UInt8]) {
            self.pid = pid
            self.parent = parent
            self.uid = uid
            self.processorTime = processorTime
            self.age = age
            self.command = command
        }
    }
    public struct Statistics: Sendable, Equatable {
        /// Nanoseconds of the guest's tasks.
        public var userTime: UInt64 = 0
        public var systemTime: UInt64 = 0
        public var tasks: UInt64 = 0
        /// `UInt64.max` for none.
        public var taskLimit: UInt64 = .max
        /// Bytes of memory that the guest holds.
        public var memory: UInt64 = 0
        public init() {}
    }

    case done
    /// In the errno of the host's nearest equivalent, and in words.
    case failed(errno: Int32, message: String)
    case status(Phase)
    /// The process runs, with this number inside.
    case started(pid: Int32)
    /// The wait status.
    case exited(waitStatus: Int32)
    case processes([Process])
    case statistics(Statistics)
}

extension ContainerRequest {
    private enum Tag: UInt32 {
        case status = 1
        case start, signal, exec, pause, resume, processes, statistics, wait, limitTasks, release
    }

    public func encoded() -> [UInt8] {
        var w = MessageWriter()
        func tag(_ tag: Tag) { w.put(tag.rawValue) }
        switch self {
        case .status: tag(.status)
        case .start(let isHeld):
            tag(.start)
            w.put(UInt32(isHeld ? 1 : 0))
        case .release: tag(.release)
        case .signal(let pid, let number, let all, let fromTerminal):
            tag(.signal)
            w.put(UInt32(bitPattern: pid))
            w.put(UInt32(bitPattern: number))
            w.put(UInt32(all ? 1 : 0))
            w.put(UInt32(fromTerminal ? 1 : 0))
        case .exec(let process, let ignoresPause):
            tag(.exec)
            w.put(UInt32(ignoresPause ? 1 : 0))
            process.encode(&w)
        case .pause: tag(.pause)
        case .resume: tag(.resume)
        case .processes: tag(.processes)
        case .statistics: tag(.statistics)
        case .wait: tag(.wait)
        case .limitTasks(let limit):
            tag(.limitTasks)
            w.put(limit ?? .max)
        }
        return w.bytes
    }

    public init(decoding bytes: [UInt8]) throws(ControlError) {
        var r = MessageReader(bytes)
        switch Tag(rawValue: try r.word("tag")) {
        case .status: self = .status
        case .start: self = .start(isHeld: try r.word("held") != 0)
        case .release: self = .release
        case .signal:
            let pid = Int32(bitPattern: try r.word("pid")), number = Int32(bitPattern: try r.word("signal"))
            let all = try r.word("all") != 0
            self = .signal(pid: pid, number: number, all: all, fromTerminal: try r.word("origin") != 0)
        case .exec:
            let ignoresPause = try r.word("pause") != 0
            self = .exec(try ProcessConfiguration(&r), ignoresPause: ignoresPause)
        case .pause: self = .pause
        case .resume: self = .resume
        case .processes: self = .processes
        case .statistics: self = .statistics
        case .wait: self = .wait
        case .limitTasks:
            let limit = try r.word("limit")
            self = .limitTasks(limit == .max ? nil : limit)
        case nil: throw .malformed("tag")
        }
        guard r.isAtEnd else { throw .malformed("trailing bytes") }
    }
}

extension ContainerReply {
    private enum Tag: UInt32 {
        case done = 1
        case failed, status, started, exited, processes, statistics
    }

    public func encoded() -> [UInt8] {
        var w = MessageWriter()
        func tag(_ tag: Tag) { w.put(tag.rawValue) }
        switch self {
        case .done: tag(.done)
        case .failed(let errno, let message):
            tag(.failed)
            w.put(UInt32(bitPattern: errno))
            w.put(Array(message.utf8))
        case .status(let phase):
            tag(.status)
            w.put(phase.rawValue)
        case .started(let pid):
            tag(.started)
            w.put(UInt32(bitPattern: pid))
        case .exited(let status):
            tag(.exited)
            w.put(UInt32(bitPattern: status))
        case .processes(let list):
            tag(.processes)
            w.put(UInt32(list.count))
            for process in list {
                w.put(UInt32(bitPattern: process.pid))
                w.put(UInt32(bitPattern: process.parent))
                w.put(process.uid)
                w.put(process.processorTime)
                w.put(process.age)
                w.put(process.command)
            }
        case .statistics(let s):
            tag(.statistics)
            for value in [s.userTime, s.systemTime, s.tasks, s.taskLimit, s.memory] { w.put(value) }
        }
        return w.bytes
    }

    public init(decoding bytes: [UInt8]) throws(ControlError) {
        var r = MessageReader(bytes)
        switch Tag(rawValue: try r.word("tag")) {
        case .done: self = .done
        case .failed:
            let errno = Int32(bitPattern: try r.word("errno"))
            self = .failed(errno: errno, message: String(decoding: try r.byteString("message"), as: UTF8.self))
        case .status:
            guard let phase = Phase(rawValue: try r.word("phase")) else { throw .malformed("phase") }
            self = .status(phase)
        case .started: self = .started(pid: Int32(bitPattern: try r.word("pid")))
        case .exited: self = .exited(waitStatus: Int32(bitPattern: try r.word("status")))
        case .processes:
            var list: [Process] = []
            for _ in 0..<(try r.count("processes", each: 32)) {
                let pid = Int32(bitPattern: try r.word("pid")), parent = Int32(bitPattern: try r.word("parent")), uid = try r.word("uid")
                let time = try r.wide("time"), age = try r.wide("age")
                list.append(
                    Process(pid: pid, parent: parent, uid: uid, processorTime: time, age: age, command: try r.byteString("command")))
            }
            self = .processes(list)
        case .statistics:
            var s = Statistics()
            s.userTime = try r.wide("statistics")
            s.systemTime = try r.wide("statistics")
            s.tasks = try r.wide("statistics")
            s.taskLimit = try r.wide("statistics")
            s.memory = try r.wide("statistics")
            self = .statistics(s)
        case nil: throw .malformed("tag")
        }
        guard r.isAtEnd else { throw .malformed("trailing bytes") }
    }
}
