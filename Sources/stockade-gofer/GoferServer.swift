import GoferProtocol
import HostOS
import LinuxABI

/// Answers requests, one after the other. Everything that comes from the client is checked here, as if the Sentry were the guest.
final class GoferServer {
    enum GrantState {
        case open(Node)
        case failed(Errno)
    }
    let grants: [GrantState]
    let landlockVersion: Int
    var hiddenPaths: HiddenPaths
    /// Number of the hide rule that the present request met; 0 for none.
    var refusal: UInt16 = 0
    var table: NodeTable
    /// /proc/self/fd. Opening `N` in it re-opens exactly the file that an O_PATH descriptor refers to, without looking at a name that may
    /// have changed since; the client never gets to name it.
    let descriptors: HostDescriptor
    /// Tells the client of changes in directories, once it asked for that.
    var watcher: ChangeWatcher?
    /// Descriptors to send with the reply, closed afterwards.
    var donations: [SharedHostDescriptor] = []
    /// Of the client when it last said so, from 1.
    private var processor: UInt16 = 0

    init(grants requested: [Grant], hides: [HideRule], descriptorLimit: Int) throws(Errno) {
        descriptors = try HostNames.openTrusted(Array("/proc/self/fd".utf8), [.path, .directory])
        var opened: [GrantState] = []
        let hidden = try HiddenPaths(hides, descriptors: descriptors.number)
        hiddenPaths = hidden
        for grant in requested { opened.append(Self.openGrant(grant, hidden, descriptors.number)) }
        grants = opened
        var limits: [(descriptor: Int32, isWritable: Bool)] = []
        for case .open(let node) in opened { limits.append((node.number, node.isWritable)) }
        landlockVersion = try HostConfinement.landlock(limits)
        // Some descriptors serve the requests themselves.
        table = NodeTable(limit: max(16, descriptorLimit - opened.count - 32 - ProtocolLimits.maximumOpens))
    }

    private static func openGrant(_ grant: Grant, _ hiddenPaths: HiddenPaths, _ descriptors: Int32) -> GrantState {
        do {
            // The user named this path: symbolic links in it count.
            let descriptor = try HostNames.openTrusted(grant.path, [.path])
            let status = try HostFileStatus(of: descriptor.number)
            // Not even on request: /proc shows the Gofer itself and every process of the user.
            if try HostFileSystemStatus(of: descriptor.number).magic == 0x9fa0 { return .failed(.EACCES) }
            let path = try HostNames.readLink(Array("\(descriptor.number)".utf8), in: descriptors)
            let hidden = try hiddenPaths.rules(in: path)
            return .open(Node(descriptor, status: status, isWritable: grant.isWritable, isSealed: false, hidden: hidden))
        } catch {
            return .failed(error)
        }
    }

    /// Serves until the client closes.
    func run(_ socket: borrowing MessageSocket) throws(Errno) {
        let statuses = grants.map { state -> Int32 in
            switch state {
            case .open: 0
            case .failed(let error): error.rawValue
            }
        }
        let hello = Hello(
            landlock: UInt32(truncatingIfNeeded: landlockVersion), nodeLimit: UInt32(truncatingIfNeeded: table.limit), grants: statuses
        ).encoded()
        try socket.send(MessageHeader(type: .hello, request: 0, bodyLength: hello.count).encoded(), hello)

        var buffer = [UInt8](repeating: 0, count: ProtocolLimits.maximumMessage)
        while true {
            var received: [Int32] = []
            let length = try socket.receive(into: &buffer, descriptors: &received)
            if length == 0 { return }
            if !received.isEmpty {
                // No request carries descriptors.
                for number in received { _ = HostDescriptor(owning: number) }
                throw .EBADMSG
            }
            let header = try MessageHeader(of: buffer, length: length, descriptors: 0)
            guard header.errno == 0, header.type != .hello else { throw .EBADMSG }
            follow(header.detail)
            donations = []
            refusal = 0
            var body: [UInt8] = []
            var failure: Int32 = 0
            do {
                body = try dispatch(header.type, ByteReader(buffer, MessageHeader.size..<length))
            } catch {
                failure = error.rawValue
                donations = []
            }
            let numbers = donations.map(\.number)
            let reply = MessageHeader(
                type: header.type, request: header.request, errno: failure, bodyLength: body.count, descriptorCount: numbers.count,
                detail: refusal)
            try socket.send(reply.encoded(), body, descriptors: numbers)
            donations = []
        }
    }

    /// Moves to the client's processor: a hand-off there costs a fraction of one that wakes another (DESIGN §1). The client can't do it for
    /// us where we have more privileges than it.
    private func follow(_ processor: UInt16) {
        guard processor != 0, processor != self.processor else { return }
        self.processor = processor
        // Where the host refuses, it stays where it is.
        try? HostAffinity.pin(to: Int32(processor) - 1)
    }

    private func dispatch(_ type: MessageType, _ body: ByteReader) throws(Errno) -> [UInt8] {
        switch type {
        case .hello: throw .EBADMSG
        case .attach: try attach(AttachRequest(decoding: body)).encoded()
        case .walk: try walk(WalkRequest(decoding: body)).encoded()
        case .close: try close(CloseRequest(decoding: body)).encoded()
        case .getAttributes: try getAttributes(GetAttributesRequest(decoding: body)).encoded()
        case .open: try open(OpenFileRequest(decoding: body)).encoded()
        case .create: try create(CreateRequest(decoding: body)).encoded()
        case .makeNode: try makeNode(MakeNodeRequest(decoding: body)).encoded()
        case .temporaryFile: try temporaryFile(TemporaryFileRequest(decoding: body)).encoded()
        case .link: try link(LinkRequest(decoding: body)).encoded()
        case .unlink: try unlink(UnlinkRequest(decoding: body)).encoded()
        case .rename: try rename(RenameRequest(decoding: body)).encoded()
        case .setAttributes: try setAttributes(SetAttributesRequest(decoding: body)).encoded()
        case .readLink: try readLink(ReadLinkRequest(decoding: body)).encoded()
        case .list: try list(ListRequest(decoding: body))
        case .getExtendedAttribute: try getExtendedAttribute(GetExtendedAttributeRequest(decoding: body)).encoded()
        case .setExtendedAttribute: try setExtendedAttribute(SetExtendedAttributeRequest(decoding: body)).encoded()
        case .removeExtendedAttribute: try removeExtendedAttribute(RemoveExtendedAttributeRequest(decoding: body)).encoded()
        case .listExtendedAttributes: try listExtendedAttributes(ListExtendedAttributesRequest(decoding: body)).encoded()
        case .fileSystemStatus: try fileSystemStatus(FileSystemStatusRequest(decoding: body)).encoded()
        case .synchronize: try synchronize(SynchronizeRequest(decoding: body)).encoded()
        case .changeQueue: try changeQueue(ChangeQueueRequest(decoding: body)).encoded()
        case .inspect: try inspect(InspectRequest(decoding: body)).encoded()
        case .openSeveral: try openSeveral(OpenSeveralRequest(decoding: body)).encoded()
        case .attributeNames: try attributeNames(AttributeNamesRequest(decoding: body)).encoded()
        }
    }
}
