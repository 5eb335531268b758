/// trapno, error code and CR2 of the last fault, for sigcontext.
struct TrapState {
    var number: UInt64 = 0
    var error: UInt64 = 0
    var address: UInt64 = 0
}
