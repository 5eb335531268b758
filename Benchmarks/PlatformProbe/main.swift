// Runs a few hand-assembled guests on the ptrace platform alone, checks what the platform reports, and prints what its operations cost.
import CHost
import Glibc
import HostOS
import LinuxABI
import Platform

HostStartup.growDescriptorTable(to: 512)
let memory = Int32(truncatingIfNeeded: unsafe "probe".withCString { chost_syscall6(319, Int(bitPattern: $0), 1, 0, 0, 0, 0) })
_ = ftruncate(memory, 1 << 30)
let platform = try PtracePlatform(memoryFile: memory)

func write(_ code: [UInt8], at offset: Int) { _ = unsafe code.withUnsafeBytes { unsafe pwrite(memory, $0.baseAddress!, $0.count, offset) } }
func check(_ condition: Bool, _ what: String) {
    print(condition ? "ok \(what)" : "not ok \(what)")
}
func range(_ start: UInt64, _ length: UInt64) -> GuestRange { GuestRange(start: GuestAddress(start), end: GuestAddress(start + length)) }

let base: UInt64 = 0x40_0000
let space = try platform.makeAddressSpace()
// mov $110,%eax; syscall; jmp to the start
write([0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7], at: 0)
try space.apply([.map(range(base, 4096), [.read, .execute], .memoryFile(offset: 0), populate: false)])
let context = try space.makeContext()
context.registers.rip = base
context.registers.rdi = 7

if case .systemCall(let number, let arguments) = context.resume(returning: nil) {
    check(number == 110 && arguments.a0 == 7, "system call with argument")
} else {
    check(false, "system call with argument")
}

func measure(_ name: String, _ count: Int, _ body: () -> Void) {
    var samples: [Int64] = []
    for _ in 0..<5 {
        let begin = HostClock.monotonic.nanoseconds
        for _ in 0..<count { body() }
        samples.append((HostClock.monotonic.nanoseconds - begin) / Int64(count))
    }
    print("\(name): \(samples.sorted()[2]) ns")
}
measure("system call", 5000) { _ = context.resume(returning: 1) }
measure("map and unmap", 500) {
    try? space.apply([.map(range(0x50_0000, 65536), [.read, .write], .memoryFile(offset: 1 << 20), populate: false)])
    try? space.apply([.unmap(range(0x50_0000, 65536))])
}
var many: [MappingChange] = []
for index in 0..<1000 {
    many.append(.map(range(0x1000_0000 + UInt64(index) * 8192, 4096), .read, .memoryFile(offset: 0), populate: false))
}
measure("1000 mappings in one call", 1) { try? space.apply(many) }

// mov 0x1234,%eax
write([0x8b, 0x04, 0x25, 0x34, 0x12, 0, 0], at: 256)
context.registers.rip = base + 256
if case .fault(let fault) = context.resume(returning: nil) {
    check(fault.address.rawValue == 0x1234 && fault.info.code == SignalInfo.SEGV_MAPERR, "fault address")
} else {
    check(false, "fault address")
}
// int $0x80
write([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x90], at: 320)
context.registers.rip = base + 320
context.registers.rcx = 0
if case .foreignSystemCall = context.resume(returning: nil) { check(true, "int 0x80") } else { check(false, "int 0x80") }
// ud2
write([0x0f, 0x0b], at: 384)
context.registers.rip = base + 384
if case .exception(let info) = context.resume(returning: nil) { check(info.signo == 4, "illegal instruction") } else { check(false, "illegal instruction") }
// jmp .
write([0xeb, 0xfe], at: 448)
context.registers.rip = base + 448
let interrupter = context.interrupter
try HostThread.start {
    usleep(20000)
    interrupter.interrupt()
}
if case .interrupted = context.resume(returning: nil) { check(true, "interrupt of an endless loop") } else { check(false, "interrupt") }
interrupter.interrupt()
if case .interrupted = context.resume(returning: nil) { check(true, "interrupt before resume") } else { check(false, "interrupt before resume") }

var state = context.extendedState()
state[160] = 0xaa
state[512] |= 2
try context.setExtendedState(state)
check(context.extendedState()[160] == 0xaa, "vector state round trip of \(state.count) bytes")
context.resetExtendedState()
check(context.extendedState()[160] == 0, "vector state reset")

context.release()
space.destroy()
var spaces = 0
measure("space with one thread made and destroyed", 50) {
    guard let space = try? platform.makeAddressSpace(), let context = try? space.makeContext() else { return }
    spaces += 1
    context.release()
    space.destroy()
}
check(spaces == 250, "250 spaces")
// A host file, and the death of a stub.
let file = SharedHostDescriptor(HostDescriptor(owning: unsafe open("/etc/passwd", O_RDONLY)))
let last = try platform.makeAddressSpace()
try last.apply([
    .map(range(base, 4096), [.read, .execute], .memoryFile(offset: 0), populate: false),
    .map(range(0x60_0000, 4096), .read, .hostFile(file, offset: 0), populate: false),
    .map(range(0x61_0000, 4096), .read, .hostFile(file, offset: 0), populate: false),
])
let thread = try last.makeContext()
// mov 0x600000,%eax; syscall: the number is the file's first word.
write([0x8b, 0x04, 0x25, 0x00, 0x00, 0x61, 0x00, 0x0f, 0x05], at: 512)
thread.registers.rip = base + 512
if case .systemCall(let number, _) = thread.resume(returning: nil) { check(number == 0x746f_6f72, "host file mapped") } else { check(false, "host file") }
