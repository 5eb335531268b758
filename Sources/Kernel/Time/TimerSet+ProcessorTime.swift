import HostOS
import LinuxABI
import Synchronization

// Timers on CPU time: ITIMER_VIRTUAL, ITIMER_PROF, POSIX timers on CPU clocks, RLIMIT_CPU.

extension TimerSet {
    /// Linux looks at CPU timers with every tick; this is the least time between two looks.
    private static let granularity: Int64 = 1_000_000

    private struct Expired {
        var signals: [Signal] = []
        var timers: [POSIXTimer.Delivery] = []
    }

    /// Fires what is due and sets the next look. Called without locks.
    func checkProcessorTimers() {
        guard let group else { return }
        let usage = group.usage
        let tasks = group.tasks
        var expired = Expired()
        var ends = false

        let hasLimit = state.withLock { $0.hasProcessorLimit }
        let limit = hasLimit ? group.limit(.cpu) : ResourceLimit(soft: .max, hard: .max)
        let seconds = UInt64(max(0, ProcessorClock.pick(usage, .profiling)) / 1_000_000_000)
        if limit.hard != ResourceLimit.infinity && seconds >= limit.hard {
            ends = true
        } else if limit.soft != ResourceLimit.infinity && seconds >= limit.soft {
            expired.signals.append(.SIGXCPU)
            // As Linux: one more signal every second until the hard limit.
            group.setLimit(.cpu, ResourceLimit(soft: limit.soft &+ 1, hard: limit.hard))
        }

        let distance = state.withLock { s -> Int64? in
            if s.isClosed { return nil }
            let total = ProcessorClock.pick(usage, .profiling)
            var nearest: Int64?
            func note(_ left: Int64) { nearest = min(nearest ?? left, left) }

            if Self.expire(&s.virtual, usage.user) { expired.signals.append(.SIGVTALRM) }
            if Self.expire(&s.profiling, total) { expired.signals.append(.SIGPROF) }
            if let expiry = s.virtual.expiry { note(expiry &- usage.user) }
            if let expiry = s.profiling.expiry { note(expiry &- total) }
            if hasLimit {
                let current = group.limit(.cpu)
                let next = min(current.soft, current.hard)
                if next < 1 << 32 { note(Int64(next) &* 1_000_000_000 &- total) }
            }
            for id in s.posix.keys {
                guard let timer = s.posix[id], timer.clock.isProcessorTime, timer.isWaiting else { continue }
                let now = timer.clock.now(groupUsage: usage)
                if timer.schedule.isDue(now) {
                    if let delivery = s.posix[id]?.expire() { expired.timers.append(delivery) }
                } else if let expiry = timer.schedule.expiry {
                    note(expiry &- now)
                }
            }
            return nearest
        }

        if ends {
            group.send(SignalInfo(.SIGKILL, code: SignalInfo.SI_KERNEL))
            return
        }
        for signal in expired.signals { group.send(SignalInfo(signal, code: SignalInfo.SI_KERNEL)) }
        for delivery in expired.timers { delivery.send(to: group) }
        if let distance { armProcessor(group, distance: distance, threads: tasks.count) }
    }

    private static func expire(_ schedule: inout TimerSchedule, _ now: Int64) -> Bool {
        guard schedule.isDue(now) else { return false }
        if schedule.interval > 0 { _ = schedule.forward(past: now) } else { schedule = TimerSchedule() }
        return true
    }

    /// Sets the next look: no earlier can the process have used `distance` nanoseconds.
    private func armProcessor(_ group: ThreadGroup, distance: Int64, threads: Int) {
        let width = Int64(max(1, min(threads, HostSystem.processors.count)))
        let wait = max(Self.granularity, distance / width)
        let service = group.kernel.timers
        let timer = state.withLock { s in
            s.idleDistance = wait
            let timer = s.processorTimer ?? service.makeTimer { [weak self] in self?.checkProcessorTimers() }
            s.processorTimer = timer
            return timer
        }
        // Announced before the look at the threads: one that starts to run sees the flag, or is seen here.
        isProcessorClockIdle.store(true, ordering: .sequentiallyConsistent)
        let runs = group.tasks.contains { if case .running = $0.runState { true } else { false } }
        if runs && isProcessorClockIdle.exchange(false, ordering: .sequentiallyConsistent) {
            service.set(timer, .after(nanoseconds: wait))
        }
    }

    /// A thread runs again after all slept.
    func processorClockResumes() {
        guard isProcessorClockIdle.exchange(false, ordering: .sequentiallyConsistent) else { return }
        state.withLock { s in
            guard !s.isClosed, let timer = s.processorTimer, let service = s.group?.group?.kernel.timers else { return }
            service.set(timer, .after(nanoseconds: s.idleDistance))
        }
    }

    /// RLIMIT_CPU changed.
    public func processorLimitChanged(_ limit: ResourceLimit) {
        state.withLock {
            $0.hasProcessorLimit = limit.soft != ResourceLimit.infinity || limit.hard != ResourceLimit.infinity
        }
        checkProcessorTimers()
    }
}

extension TimerClock {
    /// Now, with the process's CPU time already sampled.
    func now(groupUsage: ResourceUsage) -> Int64 {
        if case .group(_, let kind) = self { return ProcessorClock.pick(groupUsage, kind) }
        return now
    }
}
