/// Every family, for the dispatch table.
extension SystemCallFamilies {
    public static var all: [SystemCallEntry] {
        readWrite + openClose + stat + names + directories + fileAttributes + extendedAttributes + fcntl + fileLocks + fileSystems
            + fileTransfer + ioctl + mounts + fileSynchronization + memoryFiles
    }
}
