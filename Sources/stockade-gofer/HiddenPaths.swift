import GoferProtocol
import HostOS
import LinuxABI

/// What the user wants nobody to see. A rule applies by name, in every grant that it lies in, to whatever is or will be there; and to the file
/// that was there at the start, wherever it went since.
struct HiddenPaths {
    /// What remains of a rule's path below a node.
    struct Rest {
        var components: ArraySlice<[UInt8]>
        var rule: Rule
    }
    struct Rule {
        /// From 1.
        var number: UInt16
        var kind: HideRule.Kind
        var error: Errno { kind == .refused ? .EACCES : .ENOENT }
    }
    struct Identity: Hashable {
        var device: DeviceNumber
        var inode: UInt64
    }

    private var paths: [(components: [[UInt8]], rule: Rule)] = []
    private(set) var files: [Identity: Rule] = [:]

    init(_ rules: [HideRule], descriptors: Int32) throws(Errno) {
        for (index, hide) in rules.enumerated() {
            let rule = Rule(number: UInt16(truncatingIfNeeded: index + 1), kind: hide.kind)
            var parent = Self.components(hide.path)
            var missing: [[UInt8]] = []
            // As much of the path as there is, without symbolic links: grants are walked by such names.
            while true {
                do {
                    let found = try HostNames.openTrusted(Self.path(parent), [.path])
                    if missing.isEmpty {
                        let status = try HostFileStatus(of: found.number)
                        files[Identity(device: status.device, inode: status.inode)] = rule
                    }
                    parent = Self.components(try HostNames.readLink(Array("\(found.number)".utf8), in: descriptors))
                    break
                } catch {
                    guard error == .ENOENT || error == .ENOTDIR || error == .EACCES, let last = parent.popLast() else { throw error }
                    missing.insert(last, at: 0)
                }
            }
            paths.append((parent + missing, rule))
        }
    }

    /// The rules that apply below a grant's root. - Throws: the rule's error when it names the root itself.
    func rules(in root: [UInt8]) throws(Errno) -> [Rest] {
        let above = Self.components(root)
        var result: [Rest] = []
        for (components, rule) in paths where components.starts(with: above) {
            if components.count == above.count { throw rule.error }
            result.append(Rest(components: components[above.count...], rule: rule))
        }
        return result
    }

    func rule(for status: HostFileStatus) -> Rule? {
        files.isEmpty ? nil : files[Identity(device: status.device, inode: status.inode)]
    }

    private static func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: 0x2f).map { Array($0) } }
    private static func path(_ components: [[UInt8]]) -> [UInt8] {
        components.isEmpty ? [0x2f] : components.reduce(into: []) { $0 += [0x2f] + $1 }
    }
}

extension Node {
    /// The rule that hides the entry `name`.
    func rule(hiding name: [UInt8]) -> HiddenPaths.Rule? {
        for rest in hidden where rest.components.count == 1 && rest.components.first == name { return rest.rule }
        return nil
    }
    /// What applies below the entry `name`.
    func rules(below name: [UInt8]) -> [HiddenPaths.Rest] {
        if hidden.isEmpty { return [] }
        return hidden.filter { $0.components.count > 1 && $0.components.first == name }
            .map { .init(components: $0.components.dropFirst(), rule: $0.rule) }
    }
}

extension GoferServer {
    /// - Throws: what the rule that hides `name` says.
    func requireVisible(_ name: [UInt8], in directory: Node) throws(Errno) {
        if let rule = directory.rule(hiding: name), rule.kind != .sealed { throw refuse(rule) }
    }
    /// For a name that is to be made or given away. - Throws: EACCES for a hidden one, EBUSY above a hidden one.
    func requireChangeable(_ name: [UInt8], in directory: Node) throws(Errno) {
        if let rule = directory.rule(hiding: name) {
            _ = refuse(rule)
            throw .EACCES
        }
        if let rest = directory.rules(below: name).first {
            _ = refuse(rest.rule)
            throw .EBUSY
        }
    }
    func refuse(_ rule: HiddenPaths.Rule) -> Errno {
        refusal = rule.number
        return rule.error
    }
}
