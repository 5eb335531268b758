import LinuxABI
import Testing

@Suite struct LayoutTests {
    @Test func structuresHaveTheSizesOfTheABI() {
        #expect(MemoryLayout<Itimerspec>.size == 32)
        #expect(MemoryLayout<Itimerval>.size == 32)
        #expect(MemoryLayout<SignalEvent>.size == 64)
        #expect(MemoryLayout<ProcessTimes>.size == 32)
        #expect(MemoryLayout<Timex>.size == 208)
        #expect(MemoryLayout<RobustListHead>.size == 24)
        #expect(MemoryLayout<FutexWaitVector>.size == 24)
        #expect(MemoryLayout<Rlimit64>.size == 16)
        #expect(MemoryLayout<Rusage>.size == 144)
        #expect(MemoryLayout<Sysinfo>.size == 112)
        #expect(MemoryLayout<SchedulingAttributes>.size == 56)
        #expect(MemoryLayout<CapabilityHeader>.size == 8)
        #expect(MemoryLayout<CapabilityData>.size == 12)
        #expect(MemoryLayout<IPCPermissionData>.size == 48)
        #expect(MemoryLayout<SharedMemoryData>.size == 112)
        #expect(MemoryLayout<SemaphoreSetData>.size == 104)
        #expect(MemoryLayout<MessageQueueData>.size == 120)
        #expect(MemoryLayout<SemaphoreOperation>.size == 6)
        #expect(MemoryLayout<SharedMemoryLimits>.size == 72)
        #expect(MemoryLayout<SharedMemoryUsage>.size == 48)
        #expect(MemoryLayout<SemaphoreLimits>.size == 40)
        #expect(MemoryLayout<MessageLimits>.size == 32)
    }

    @Test func fieldsLieWhereTheABIPutsThem() {
        #expect(MemoryLayout<SignalEvent>.offset(of: \.threadID) == 16)
        #expect(MemoryLayout<Timex>.offset(of: \.time) == 72)
        #expect(MemoryLayout<Timex>.offset(of: \.tai) == 160)
        #expect(MemoryLayout<Sysinfo>.offset(of: \.processes) == 80)
        #expect(MemoryLayout<Sysinfo>.offset(of: \.unit) == 104)
        #expect(MemoryLayout<SharedMemoryData>.offset(of: \.attaches) == 88)
        #expect(MemoryLayout<MessageQueueData>.offset(of: \.lastSender) == 96)
    }
}
