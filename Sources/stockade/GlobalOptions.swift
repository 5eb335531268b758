import HostOS
import OCIRuntime

/// What may stand in front of a command.
struct GlobalOptions {
    static let syntax = CommandSyntax(
        name: "", summary: "", count: .atLeast(0), stopsAtArgument: true,
        options: [
            .value("root", help: "where the state of containers is kept (default: /run/stockade; without root $XDG_RUNTIME_DIR/stockade)"),
            .value("log", help: "where messages go besides standard error"),
            .value("log-format", help: "text or json (default: text)"),
            .flag("debug", help: "more messages, and the sandbox's own on the container's standard error"),
            .flag("systemd-cgroup", help: "cgroupsPath has the form slice:prefix:name"),
            .value("rootless", help: "true, false or auto: whether the host's control groups may refuse what is asked for"),
            .value("platform", help: "how guest code is run: auto, seccomp or ptrace"),
            .value("criu", help: "accepted; there are no checkpoints"),
            .flag("version", "v", help: "print the version"),
        ])

    var root: String?
    var log: String?
    var logFormat = "text"
    var debug = false
    var systemdCgroup = false
    var rootless = "auto"
    var platform = "auto"

    init(_ words: Words) throws(RuntimeError) {
        root = words.text("root")
        log = words.text("log")
        logFormat = words.text("log-format") ?? "text"
        debug = try words.isSet("debug")
        systemdCgroup = try words.isSet("systemd-cgroup")
        rootless = words.text("rootless") ?? "auto"
        platform = words.text("platform") ?? "auto"
    }

    var stateRoot: String {
        if let root { return root.hasPrefix("/") ? root : Paths.absolute(root) }
        // As runc: root in a user namespace is not the owner of /run, unless somebody set up a whole system there.
        let isRoot = HostProcess.effectiveUID == 0 && (!HostProcess.isInUserNamespace || Paths.environment("USER") == "root")
        if !isRoot, let folder = Paths.environment("XDG_RUNTIME_DIR"), !folder.isEmpty { return folder + "/stockade" }
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
