import Foundation
import HostOS

/// What a command printed and how it ended.
struct Outcome: Equatable, CustomStringConvertible {
    var output: Data
    var errors: Data
    /// Exit status, or 128 + the signal's number.
    var status: Int32

    var text: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: errors, as: UTF8.self) }
    var description: String { "status \(status), output \(text.debugDescription), errors \(errorText.debugDescription)" }
}

enum Run {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// The built command; STOCKADE_BIN names another folder.
    static let sandboxExec =
        (ProcessInfo.processInfo.environment["STOCKADE_BIN"] ?? repository + "/.build/release") + "/sandbox-exec"

    /// Runs a command on the host. Input and output are files, so that neither side waits for the other.
    static func host(_ command: [String], input: String = "", environment: [String: String] = [:]) throws -> Outcome {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ content: String = "") throws -> URL {
            let url = folder.appendingPathComponent(name)
            try Data(content.utf8).write(to: url)
            return url
        }
        let output = try file("out")
        let errors = try file("err")
        let inputHandle = try FileHandle(forReadingFrom: file("in", input))
        let outputHandle = try FileHandle(forWritingTo: output)
        let errorHandle = try FileHandle(forWritingTo: errors)
        let variables = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": "/root"].merging(environment) { $1 }
        let handles = [inputHandle, outputHandle, errorHandle]
        let child = try HostProcess.spawn(
            "/usr/bin/env", arguments: (["env"] + command).map { Array($0.utf8) }, environment: variables.map { Array("\($0)=\($1)".utf8) },
            descriptors: handles.enumerated().map { ($1.fileDescriptor, Int32($0)) })
        let status = try HostProcess.waitStatus(of: child, wait: true) ?? 0
        let signal = status & 0x7f
        return Outcome(
            output: try Data(contentsOf: output), errors: try Data(contentsOf: errors),
            status: signal == 0 ? (status >> 8) & 0xff : 128 + signal)
    }

    /// The platforms that this host offers; ptrace is the one that must always work.
    static let platforms: [String] = {
        let seccomp = try? host([sandboxExec, "--platform", "seccomp", "--", "true"])
        return seccomp?.status == 0 ? ["seccomp", "ptrace"] : ["ptrace"]
    }()

    /// Runs a command in a sandbox, on the platform that is the default unless one is named.
    static func sandbox(_ options: [String] = [], _ command: [String], platform: String = "auto", input: String = "") throws -> Outcome {
        try host([sandboxExec, "--platform", platform] + options + ["--"] + command, input: input)
    }
}
