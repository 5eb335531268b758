import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// /dev/pts/N.
final class DevptsSlaveInode: Inode {
    let terminal: PseudoTerminal
    let shared = InodeState()
    private let kept: Mutex<FileAttributes>

    init(_ terminal: PseudoTerminal, uid: UInt32, gid: UInt32, mode: UInt16) {
        self.terminal = terminal
        var attributes = FileAttributes(
            device: terminal.fileSystem.device, inode: UInt64(terminal.index) + 3, mode: FileMode(.characterDevice, mode), uid: uid, gid: gid)
        attributes.specialDevice = terminal.device
        attributes.blockSize = 1024
        let now = FileSystemClock.now
        attributes.accessTime = now
        attributes.modificationTime = now
        attributes.changeTime = now
        kept = Mutex(attributes)
    }

    var fileSystem: any FileSystem { terminal.fileSystem }
    var number: UInt64 { UInt64(terminal.index) + 3 }
    let type = FileType.characterDevice
    var opensItself: Bool { true }

    func attributes() throws(Errno) -> FileAttributes { kept.withLock { $0 } }

    func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        let now = FileSystemClock.now
        func time(_ change: AttributeChange.TimeChange) -> Timespec {
            switch change {
            case .now: now
            case .set(let value): value
            }
        }
        kept.withLock {
            if let permissions = change.permissions { $0.mode.permissions = permissions }
            if let uid = change.uid { $0.uid = uid }
            if let gid = change.gid { $0.gid = gid }
            if let access = change.accessTime { $0.accessTime = time(access) }
            if let modification = change.modificationTime { $0.modificationTime = time(modification) }
            $0.changeTime = now
        }
    }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { try terminal.open(flags, caller: caller) }
}

/// /dev/pts/ptmx.
final class DevptsMasterInode: Inode {
    private let owner: DevptsFileSystem
    let shared = InodeState()
    init(_ owner: DevptsFileSystem) { self.owner = owner }

    var fileSystem: any FileSystem { owner }
    let number: UInt64 = 2
    let type = FileType.characterDevice
    var opensItself: Bool { true }

    func attributes() throws(Errno) -> FileAttributes {
        var result = FileAttributes(device: owner.device, inode: 2, mode: FileMode(.characterDevice, owner.options.masterMode))
        result.specialDevice = TerminalNumbers.ptmx
        return result
    }
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { try owner.openMaster(caller) }
}
