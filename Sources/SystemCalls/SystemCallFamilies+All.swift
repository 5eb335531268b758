/// Every family, for the dispatch table.
extension SystemCallFamilies {
    public static var all: [SystemCallEntry] {
        let files = [
            readWrite, openClose, stat, names, directories, fileAttributes, extendedAttributes, fcntl, fileLocks, fileSystems, fileTransfer,
            ioctl, fileFlags, fileHandles, mounts, mountTrees, fileSystemContexts, mountStatus, fileSynchronization, memoryFiles,
            secretMemory,
        ]
        let memory = [memoryMapping, memoryAdvice, memoryLocking, memoryPolicy, memoryBarriersAndKeys]
        let communication = [
            pipes, events, asynchronousIO, inotify, polling, sockets, messages, sharedMemory, semaphores, messageQueues, posixQueues,
        ]
        let process = [
            signals, signalSending, restart, inspection, tracing, seccomp, architecture, identifiers, exitAndWait, exec, processControl, pidFiles, clone,
        ]
        let time = [futexes, futex2, clocks, sleeping, timers, timerFiles, intervalTimers]
        let administration = [
            capabilities, identity, system, scheduling, usage, affinity, priorities, resourceLimits, keys, landlock,
            securityModules, hangUp, accounting, refusedCalls,
        ]
        return Array([files, memory, communication, process, time, administration].joined().joined())
    }
}
