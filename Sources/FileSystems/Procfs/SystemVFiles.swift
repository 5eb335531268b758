import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/sysvipc: the System V IPC objects of the reader's namespace.
struct SystemVContent: SyntheticContent {
    enum Kind: String, Sendable { case msg, sem, shm }
    let kind: Kind

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        guard let current = caller as? CurrentTask else { return [] }
        let (ipc, credentials) = (current.namespaces.ipc, current.credentials)
        var text: String
        switch kind {
        case .shm:
            text = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime"
                + "                   rss                  swap\n"
            for (id, data) in ipc.segmentReports(credentials) {
                let resident = (Page.up(data.size) ?? data.size)
                text += Self.start(data.permission, id) + Self.field(data.size, 21) + Self.field(data.creator, 5)
                text += Self.field(data.lastUser, 5) + " " + Self.field(data.attaches, 5) + Self.owners(data.permission)
                for time in [data.attachTime, data.detachTime, data.changeTime] { text += Self.field(time, 10) }
                text += Self.field(resident, 21) + Self.field(0, 21) + "\n"
            }
        case .sem:
            text = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
            for (id, data) in ipc.semaphoreReports(credentials) {
                text += Self.start(data.permission, id) + Self.field(data.count, 10) + Self.owners(data.permission)
                text += Self.field(data.operationTime, 10) + Self.field(data.changeTime, 10) + "\n"
            }
        case .msg:
            text =
                "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n"
            for (id, data) in ipc.queueReports(credentials) {
                text += Self.start(data.permission, id) + " " + Self.field(data.bytes, 10) + Self.field(data.messages, 10)
                text += Self.field(data.lastSender, 5) + Self.field(data.lastReceiver, 5) + Self.owners(data.permission)
                for time in [data.sendTime, data.receiveTime, data.changeTime] { text += Self.field(time, 10) }
                text += "\n"
            }
        }
        return Array(text.utf8)
    }

    private static func field(_ value: some BinaryInteger, _ width: Int) -> String { " " + KeyListContent.padded(String(value), width) }
    private static func start(_ permission: IPCPermissionData, _ id: Int32) -> String {
        KeyListContent.padded(String(permission.key), 10) + field(id, 10) + "  "
            + KeyListContent.padded(String(permission.mode & 0o7777, radix: 8), 4)
    }
    private static func owners(_ p: IPCPermissionData) -> String {
        [p.uid, p.gid, p.creatorUID, p.creatorGID].map { field($0, 5) }.joined()
    }
}
