import LinuxABI

/// A host path that the Gofer may serve. Grants are fixed when it starts, as arguments; nobody can add one later.
public struct Grant: Sendable, Equatable {
    public var path: [UInt8]
    public var isWritable: Bool
    public init(path: [UInt8], isWritable: Bool) {
        self.path = path
        self.isWritable = isWritable
    }
}

/// A host path that is served to nobody, whatever grant it lies in. It does not keep a grant below it from being served.
public struct HideRule: Sendable, Equatable {
    public enum Kind: Sendable {
        /// Uses fail with ENOENT.
        case absent
        /// Uses fail with EACCES.
        case refused
        /// A directory shows, without anything in it: a place to mount on.
        case sealed

        var option: String {
            switch self {
            case .absent: "--hide"
            case .refused: "--refuse"
            case .sealed: "--seal"
            }
        }
    }
    public var path: [UInt8]
    public var kind: Kind
    public init(path: [UInt8], _ kind: Kind) {
        self.path = path
        self.kind = kind
    }
}

/// The Gofer's command line: `--socket FD --parent PID [--read-only PATH | --read-write PATH | --hide PATH | --refuse PATH | --seal PATH]...`.
public struct GoferArguments: Sendable, Equatable {
    public var socket: Int32
    public var parent: Int32
    public var grants: [Grant]
    public var hides: [HideRule]
    public init(socket: Int32, parent: Int32, grants: [Grant], hides: [HideRule] = []) {
        self.hides = hides
        self.socket = socket
        self.parent = parent
        self.grants = grants
    }

    /// With the program's name in front.
    public var words: [[UInt8]] {
        var words = ["stockade-gofer", "--socket", "\(socket)", "--parent", "\(parent)"].map { Array($0.utf8) }
        for grant in grants {
            words.append(Array((grant.isWritable ? "--read-write" : "--read-only").utf8))
            words.append(grant.path)
        }
        for hide in hides {
            words.append(Array(hide.kind.option.utf8))
            words.append(hide.path)
        }
        return words
    }

    /// - Throws: EINVAL.
    public init(words: [[UInt8]]) throws(Errno) {
        var socket: Int32?
        var parent: Int32?
        grants = []
        hides = []
        var index = 1
        while index < words.count {
            guard index + 1 < words.count else { throw .EINVAL }
            let value = words[index + 1]
            switch String(decoding: words[index], as: UTF8.self) {
            case "--socket": socket = Int32(String(decoding: value, as: UTF8.self))
            case "--parent": parent = Int32(String(decoding: value, as: UTF8.self))
            case "--read-only": grants.append(Grant(path: value, isWritable: false))
            case "--read-write": grants.append(Grant(path: value, isWritable: true))
            case "--hide": hides.append(HideRule(path: value, .absent))
            case "--refuse": hides.append(HideRule(path: value, .refused))
            case "--seal": hides.append(HideRule(path: value, .sealed))
            default: throw .EINVAL
            }
            index += 2
        }
        guard let socket, let parent, socket > 2 else { throw .EINVAL }
        self.socket = socket
        self.parent = parent
    }
}
