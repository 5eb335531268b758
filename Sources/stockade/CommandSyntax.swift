import OCIRuntime

/// The options and arguments of a command, as Go's flag package and runc's command line take them: one dash or two, `--name value` or
/// `--name=value`, options before, between and behind arguments. Reading them costs microseconds, and a client starts a runtime for every step.
struct CommandSyntax: Sendable {
    struct Option: Sendable {
        /// The long name first.
        let names: [String]
        /// Whether a value follows.
        let takesValue: Bool
        /// Empty for one that is not shown.
        let help: String

        static func value(_ names: String..., help: String) -> Option { Option(names: names, takesValue: true, help: help) }
        static func flag(_ names: String..., help: String) -> Option { Option(names: names, takesValue: false, help: help) }
        var title: String { names.map { ($0.count == 1 ? "-" : "--") + $0 + (takesValue ? " value" : "") }.joined(separator: ", ") }
    }
    enum Count: Sendable {
        case exactly(Int)
        case atLeast(Int)
    }

    let name: String
    let summary: String
    /// What stands behind the options in the usage line.
    var arguments = ""
    var count = Count.exactly(0)
    /// What follows the first argument belongs to somebody else.
    var stopsAtArgument = false
    var options: [Option] = []

    static let container = "<container-id>"

    func parse(_ input: some Collection<String>) throws(UsageError) -> Words {
        var words = Words(rest: Array(input))
        var index = words.rest.startIndex
        var arguments: [String] = []
        while index < words.rest.endIndex {
            let word = words.rest[index]
            index += 1
            if word == "--" {
                arguments += words.rest[index...]
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                if stopsAtArgument {
                    arguments += words.rest[(index - 1)...]
                    break
                }
                arguments.append(word)
                continue
            }
            let text = word.drop { $0 == "-" }
            let name = String(text.prefix { $0 != "=" })
            guard word.hasPrefix("---") == false, let option = options.first(where: { $0.names.contains(name) }) else {
                if name == "h" || name == "help" { throw .help }
                throw .wrong("flag provided but not defined: -\(name)")
            }
            var value = text.count > name.count ? String(text.dropFirst(name.count + 1)) : nil
            if option.takesValue && value == nil {
                guard index < words.rest.endIndex else { throw .wrong("flag needs an argument: -\(name)") }
                value = words.rest[index]
                index += 1
            }
            words.add(option.names[0], value)
        }
        words.rest = arguments
        switch count {
        case .exactly(let wanted) where arguments.count != wanted:
            throw .wrong("stockade: \"\(self.name)\" requires exactly \(wanted) argument(s)")
        case .atLeast(let wanted) where arguments.count < wanted:
            throw .wrong("stockade: \"\(self.name)\" requires a minimum of \(wanted) argument(s)")
        default: return words
        }
    }

    /// What --help prints.
    var help: String {
        var text = "NAME:\n   stockade \(name) - \(summary)\n\nUSAGE:\n   stockade \(name)"
        if !options.isEmpty { text += " [command options]" }
        if !arguments.isEmpty { text += " \(arguments)" }
        return text + "\n" + (options.isEmpty ? "" : "\nOPTIONS:\n" + Self.list(options))
    }
    static func list(_ all: [Option]) -> String {
        let options = all.filter { !$0.help.isEmpty }
        let width = options.map(\.title.count).max() ?? 0
        return options.map { "   \($0.title)\(String(repeating: " ", count: width - $0.title.count))  \($0.help)\n" }.joined()
    }
}

/// Why a command line is not run.
enum UsageError: Error {
    case help
    case wrong(String)
}

/// A command line, read.
struct Words {
    /// The arguments that are no options.
    fileprivate(set) var rest: [String]
    private var values: [String: [String?]] = [:]
    fileprivate init(rest: [String]) { self.rest = rest }
    fileprivate mutating func add(_ name: String, _ value: String?) { values[name, default: []].append(value) }

    var id: String { rest.first ?? "" }

    func isSet(_ name: String) throws(RuntimeError) -> Bool {
        guard let last = values[name]?.last else { return false }
        switch last {
        case nil, "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        case let word?: throw RuntimeError("invalid boolean value \"\(word)\" for -\(name)")
        }
    }
    /// The value given last.
    func text(_ name: String) -> String? { values[name]?.last ?? nil }
    func texts(_ name: String) -> [String] { (values[name] ?? []).compactMap { $0 } }
    func number<T: FixedWidthInteger>(_ name: String, as type: T.Type = T.self) throws(RuntimeError) -> T? {
        guard let text = text(name) else { return nil }
        guard let number = T(text) else { throw RuntimeError("invalid value \"\(text)\" for flag -\(name)") }
        return number
    }
}

/// A command: what it takes, and what it does.
protocol RuntimeCommand: Sendable {
    var syntax: CommandSyntax { get }
    /// Returns the exit status.
    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32
}
