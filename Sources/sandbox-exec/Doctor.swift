import HostOS
import LinuxABI
import SandboxControl

/// `sandbox-exec doctor`: what this host offers for each platform and isolation layer, and the remedy for what is missing.
enum Doctor {
    private struct Finding {
        enum State: String {
            case works, limited, missing
        }
        let name: String
        let state: State
        let detail: String
    }

    /// Returns the exit status: 0 when programs can be run here.
    static func run() -> Int32 {
        if let problem = HostRequirements.problem() {
            Diagnostics.report(problem)
            return ExitStatus.sandboxFailed
        }
        let platforms = [seccomp, ptrace]
        let findings = [kernel] + platforms + layers
        let width = findings.map(\.name.count).max() ?? 0
        for finding in findings {
            let name = finding.name + String(repeating: " ", count: width - finding.name.count)
            let state = finding.state.rawValue + String(repeating: " ", count: 7 - finding.state.rawValue.count)
            Diagnostics.write("\(name)  \(state)  \(finding.detail)\n", to: 1)
        }
        let usable = zip(["seccomp", "ptrace"], platforms).first { $0.1.state != .missing }?.0
        Diagnostics.write(usable.map { "\nprograms run on: \($0)\n" } ?? "\nno platform works here: nothing can be run\n", to: 1)
        return usable == nil ? ExitStatus.sandboxFailed : 0
    }

    private static var kernel: Finding {
        guard let (major, minor) = HostMachine.kernelVersion else {
            return Finding(name: "host kernel", state: .limited, detail: "its version cannot be read")
        }
        return Finding(name: "host kernel", state: .works, detail: "Linux \(major).\(minor)")
    }

    // MARK: platforms

    private static var seccomp: Finding {
        let name = "platform seccomp"
        func missing(_ detail: String) -> Finding { Finding(name: name, state: .missing, detail: detail) }
        guard HostMachine.isKernel(atLeast: (5, 9)) else { return missing("needs Linux 5.9 or later") }
        guard HostMachine.hasSegmentBases else {
            return missing("the processor or kernel lacks FSGSBASE (an option of virtual machines; the kernel's `nofsgsbase` turns it off)")
        }
        guard HostMachine.hasSeccompNotifications else { return missing("the kernel was built without seccomp user notifications") }
        if let problem = trial("seccomp") { return missing("\(problem) (does a container's own filter already use notifications?)") }
        guard HostMachine.isKernel(atLeast: (6, 6)) else {
            return Finding(name: name, state: .limited, detail: "works; Linux 6.6 would wake the other side on the same processor and be faster")
        }
        return Finding(name: name, state: .works, detail: "the default")
    }

    private static var ptrace: Finding {
        guard let problem = trial("ptrace") else { return Finding(name: "platform ptrace", state: .works, detail: "slower, for hosts without the other") }
        return Finding(
            name: "platform ptrace", state: .missing,
            detail: "\(problem) (allow tracing of own children: kernel.yama.ptrace_scope below 3, ptrace in the container's filter)")
    }

    /// Runs this program inside a sandbox. Nil when that works, else its one line of error.
    private static func trial(_ platform: String) -> String? {
        do {
            let own = try HostProcess.readLink("/proc/self/exe")
            let null = try HostDescriptor(openingNull: ())
            let errors = try HostMemory.makeMemoryFile()
            let child = try HostProcess.spawn(
                own, arguments: ["sandbox-exec", "--platform", platform, "--timeout", "20", "--", own, "--version"].map { Array($0.utf8) },
                environment: [], descriptors: [(null.number, 0), (null.number, 1), (errors.number, 2)])
            let status = try HostProcess.waitStatus(of: child, wait: true)
            if status == 0 { return nil }
            let text = String(decoding: try HostMemory.contents(of: errors.number, limit: 1000), as: UTF8.self)
            let line = text.split(separator: "\n").first.map(String.init) ?? "a trial run ended with wait status \(status ?? -1)"
            return line.hasPrefix("sandbox-exec: ") ? String(line.dropFirst("sandbox-exec: ".count)) : line
        } catch {
            return "a trial run could not be made: \(error)"
        }
    }

    // MARK: layers

    private static var layers: [Finding] {
        var findings = [
            Finding(name: "guest calls", state: .works, detail: "answered by the application kernel; the stub's filter lets none through")
        ]
        findings.append(
            HostMachine.hasSeccompFilters
                ? Finding(name: "own filters", state: .works, detail: "the kernel's and the file server's own host calls are on a list")
                : Finding(name: "own filters", state: .missing, detail: "the host kernel was built without seccomp filters; sandboxes refuse to start"))
        let landlock = HostMachine.landlockVersion
        findings.append(
            landlock > 0
                ? Finding(name: "Landlock", state: .works, detail: "version \(landlock): the file server is held to what was granted")
                : Finding(
                    name: "Landlock", state: .limited,
                    detail: "the host has none; openat2 and filters hold alone (Linux 5.13 with `lsm=landlock,...` on the kernel's command line)"))
        findings.append(Finding(name: "namespaces", state: .limited, detail: "none are made: the Sentry can reach neither paths nor sockets without them"))
        return findings
    }
}
