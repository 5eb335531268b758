import ArgumentParser
import HostOS

/// What may stand in front of a command.
struct GlobalOptions: ParsableArguments {
    @Option var root: String?
    @Option var log: String?
    @Option var logFormat = "text"
    @Flag var debug = false
    @Flag var systemdCgroup = false
    @Option var rootless = "auto"
    @Option var criu: String?
    @Option var platform = "auto"

    static let help = """
        GLOBAL OPTIONS:
          --root DIR          where the state of containers is kept (default: /run/stockade; without root $XDG_RUNTIME_DIR/stockade)
          --log FILE          where messages go besides standard error
          --log-format NAME   text or json (default: text)
          --debug             more messages, and the sandbox's own on the container's standard error
          --systemd-cgroup    cgroupsPath has the form slice:prefix:name
          --rootless VALUE    true, false or auto: whether the host's control groups may refuse what is asked for
          --platform NAME     how guest code is run: auto, seccomp or ptrace
        """

    private static let valued: Set<String> = ["--root", "--log", "--log-format", "--rootless", "--criu", "--platform"]
    private static let flags: Set<String> = ["--debug", "--systemd-cgroup"]

    /// Takes apart what stands in front of the command and the rest. Go's flag package also takes one dash.
    static func split(_ words: [String]) -> (globals: [String], command: [String]) {
        var globals: [String] = []
        var index = 0
        while index < words.count, words[index].hasPrefix("-") {
            var word = words[index]
            if !word.hasPrefix("--") && word.count > 2 { word = "-" + word }
            if word == "-v" { word = "--version" }
            let name = word.split(separator: "=", maxSplits: 1)[0]
            if valued.contains(word), index + 1 < words.count {
                globals += [word, words[index + 1]]
                index += 2
            } else if flags.contains(word) || (word.contains("=") && valued.contains(String(name))) {
                globals.append(word)
                index += 1
            } else {
                // --help, --version, or what the parser will complain about.
                return (globals, [word] + words[(index + 1)...])
            }
        }
        return (globals, Array(words[index...]))
    }

    var stateRoot: String {
        if let root { return root.hasPrefix("/") ? root : Paths.absolute(root) }
        if HostProcess.effectiveUID != 0, let folder = Paths.environment("XDG_RUNTIME_DIR"), !folder.isEmpty { return folder + "/stockade" }
        return HostProcess.effectiveUID == 0 ? "/run/stockade" : "/tmp/stockade-\(HostProcess.effectiveUID)"
    }
}

enum Paths {
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = try? HostProcess.workingDirectory() else { return path }
        return String(decoding: folder, as: UTF8.self) + "/" + path
    }
    static func environment(_ name: String) -> String? {
        let prefix = Array("\(name)=".utf8)
        return HostProcess.environmentBytes.first { $0.starts(with: prefix) }.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
    }
}
