import GoferProtocol
import HostOS
import LinuxABI

/// What the user wants nobody to see. A rule applies by name, in every grant that it lies in, to whatever is or will be there; to the file that
/// was there at the start, wherever it went since; and to files of a hidden directory by their other names.
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
    /// Hidden directories as they were found at the start, with O_PATH.
    private var directories: [(found: SharedHostDescriptor, rule: Rule)] = []
    /// Files in hidden directories that had several names when one of them was first met. Looking through the directories takes time, which
    /// few sandboxes need to spend.
    private var linkedFiles: [Identity: Rule]?
    /// Of a hidden directory that could not be searched to its end: it then holds for every file with several names.
    private var unsearched: Rule?

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
                    if missing.isEmpty, try HostFileStatus(of: found.number).mode.isDirectory { directories.append((SharedHostDescriptor(found), rule)) }
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

    /// The rule that hides this file by what it is.
    mutating func rule(for status: HostFileStatus) -> Rule? {
        if files.isEmpty { return nil }
        let identity = Identity(device: status.device, inode: status.inode)
        if let rule = files[identity] { return rule }
        guard status.linkCount > 1, !status.mode.isDirectory, !directories.isEmpty else { return nil }
        if let known = linkedFiles { return known[identity] ?? unsearched }
        var found: [Identity: Rule] = [:]
        for (directory, rule) in directories where !Self.findLinked(in: directory, rule, &found) { unsearched = unsearched ?? rule }
        linkedFiles = found
        return found[identity] ?? unsearched
    }

    /// Collects the files with several names below a directory. False: some of it could not be searched, so that any file with several names
    /// may be one of them.
    private static func findLinked(in top: SharedHostDescriptor, _ rule: Rule, _ found: inout [Identity: Rule]) -> Bool {
        // Paths below the top: a descriptor for each would be too many in a wide tree.
        var pending: [[[UInt8]]] = [[]]
        while let path = pending.popLast() {
            do throws(Errno) {
                let directory = try open(path, below: top)
                while true {
                    let bytes = try HostFileCalls.directoryRecords(directory.number, capacity: 32768)
                    if bytes.isEmpty { break }
                    var records = ByteReader(bytes)
                    while records.remaining > 0 {
                        let entry = try DirectoryRecord(&records)
                        guard NameRule.isComponent(entry.name) else { continue }
                        do throws(Errno) {
                            let status = try HostFileStatus(of: entry.name, in: directory.number)
                            if status.mode.isDirectory {
                                pending.append(path + [entry.name])
                            } else if status.linkCount > 1 {
                                found[Identity(device: status.device, inode: status.inode)] = rule
                            }
                        } catch { if error != .ENOENT { throw error } }
                    }
                }
            } catch {
                // Gone meanwhile, or not the user's to search: who hides such a directory must not lose every file that has several names.
                if ![.ENOENT, .ENOTDIR, .ELOOP, .EACCES].contains(error) { return false }
            }
        }
        return true
    }

    /// Component by component: no link is followed.
    private static func open(_ path: [[UInt8]], below top: SharedHostDescriptor) throws(Errno) -> HostDescriptor {
        var directory = try HostNames.open([0x2e], in: top.number, [.directory], resolve: GoferServer.componentRules)
        for name in path {
            directory = try HostNames.open(name, in: directory.number, [.directory, .noFollow], resolve: GoferServer.componentRules)
        }
        return directory
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
