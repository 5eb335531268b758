import LinuxABI
import VirtualFileSystem
import Synchronization

/// A session: process groups that share a controlling terminal (setsid(2)).
public final class Session: Sendable {
    public let id: Int32
    public let numbers: ProcessNumbers
    init(_ numbers: ProcessNumbers) {
        self.numbers = numbers
        id = numbers.global
    }
    /// The controlling terminal, set by the terminal driver.
    public let terminal = Mutex<(any ControllingTerminal)?>(nil)
}

/// A terminal as sessions see it.
public protocol ControllingTerminal: AnyObject, Sendable {
    /// The session leader exited: the terminal belongs to no session any more.
    func sessionEnded()
    /// vhangup(2): the session loses the terminal and is told; open files of it are of no use any more.
    func hangUp()
    var device: DeviceNumber { get }
    var foregroundGroup: ProcessGroup? { get }
}
