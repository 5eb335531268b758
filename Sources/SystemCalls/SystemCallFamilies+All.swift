/// Every family, for the dispatch table.
extension SystemCallFamilies {
    public static var all: [SystemCallEntry] {
        var entries: [SystemCallEntry] = []
        // Files
        entries += readWrite + openClose + stat + names + directories + fileAttributes + extendedAttributes
        entries += fcntl + fileLocks + fileSystems + fileTransfer + ioctl + mounts + fileSynchronization + memoryFiles
        // Pipes, events, sockets
        entries += pipes + events + polling + sockets + messages
        // Memory
        entries += memoryMapping + memoryLocking + memoryAdvice + memoryPolicy + memoryBarriersAndKeys
        // Processes and signals
        entries += clone + exec + exitAndWait + identifiers + processControl + architecture + pidFiles + inspection
        entries += signals + signalSending + restart
        return entries
    }
}
