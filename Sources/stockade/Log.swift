import HostOS
import LinuxABI
import Logging
import OCIRuntime

/// Messages in logrus's text or JSON form, which the clients of container runtimes read.
struct Log: Sendable {
    private let logger: Logger
    /// Messages go to a file, so that failures are said on standard error as well.
    private let hasFile: Bool

    static let standardError = Log(descriptor: nil, isJSON: false, level: .info)

    private init(descriptor: SharedHostDescriptor?, isJSON: Bool, level: Logger.Level) {
        var logger = Logger(label: "stockade") { _ in LogrusHandler(descriptor: descriptor, isJSON: isJSON) }
        logger.logLevel = level
        self.logger = logger
        hasFile = descriptor != nil
    }

    init(_ globals: GlobalOptions) throws(RuntimeError) {
        let isJSON: Bool
        switch globals.logFormat {
        case "text", "": isJSON = false
        case "json": isJSON = true
        default: throw RuntimeError("invalid log-format: \(globals.logFormat)")
        }
        var file: SharedHostDescriptor?
        if let path = globals.log, !path.isEmpty {
            do throws(Errno) {
                file = SharedHostDescriptor(
                    try HostNames.openTrusted(Array(path.utf8), [.writeOnly, .create, .append], mode: 0o644))
            } catch { throw RuntimeError("the log file \(path) cannot be opened: \(error)") }
        }
        self.init(descriptor: file, isJSON: isJSON, level: globals.debug ? .debug : .info)
    }

    func warn(_ message: String) { logger.warning("\(message)") }
    func debug(_ message: String) { logger.debug("\(message)") }
    /// The last message of a command.
    func fail(_ message: String) {
        logger.error("\(message)")
        if hasFile { try? HostIO.writeAll(2, Array((message + "\n").utf8)) }
    }
}

private struct LogrusHandler: LogHandler {
    let descriptor: SharedHostDescriptor?
    let isJSON: Bool
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let name = event.level == .critical ? "fatal" : event.level.rawValue
        let message = event.message.description
        let time = Timestamp.now(nanoseconds: false)
        let line: String
        if isJSON {
            line = JSONText.object([("level", .string(name)), ("msg", .string(message)), ("time", .string(time))]).text()
        } else {
            line = "time=\"\(time)\" level=\(name) msg=\(JSONText.string(message).text())"
        }
        try? HostIO.writeAll(descriptor?.number ?? 2, Array((line + "\n").utf8))
    }
}
