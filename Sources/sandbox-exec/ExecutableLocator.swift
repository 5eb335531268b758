import HostOS
import LinuxABI

/// Finds the other executables of the sandbox: beside this one, or in ../libexec/stockade as installed.
enum ExecutableLocator {
    static func path(of name: String) throws(SandboxFailure) -> String {
        let own = try SandboxFailure.wrap("find this program's own path (/proc must be mounted)") { () throws(Errno) in
            try HostProcess.readLink("/proc/self/exe")
        }
        let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
        let candidates = ["\(folder)/\(name)", "\(folder)/../libexec/stockade/\(name)"]
        if let found = candidates.first(where: HostProcess.isExecutableFile) { return found }
        throw SandboxFailure(message: "\(name) was not found; it belongs at \(candidates.joined(separator: " or "))")
    }
}
