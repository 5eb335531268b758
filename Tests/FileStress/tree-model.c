// Random changes of names in a tree against a tree in memory; at intervals and at the end the whole is compared.
#include "random.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODES = 160, NAMES = 24, DEPTH = 6 };
enum kind { FILE_KIND, DIRECTORY, LINK };

/// A file, directory or symbolic link. Directories have one place; files may have several names.
struct node {
    int used, references;
    enum kind kind;
    unsigned mode;
    uint64_t content;  // of a file: seed of its bytes; of a link: number of its target
    unsigned size;
    int parent;  // of a directory
};
static struct node nodes[NODES];
/// Names: entries[directory][name] is a node, or -1.
static int entries[NODES][NAMES];
static int root_descriptor;
static char root_path[PATH_MAX];

static int make(enum kind kind, unsigned mode, int parent) {
    for (int i = 1; i < NODES; i++) {
        if (nodes[i].used) continue;
        nodes[i] = (struct node){.used = 1, .references = 1, .kind = kind, .mode = mode, .parent = parent};
        for (int n = 0; n < NAMES; n++) entries[i][n] = -1;
        return i;
    }
    return -1;
}
static void drop(int node) {
    if (--nodes[node].references == 0) nodes[node].used = 0;
}
static int any_directory(void) {
    for (int tries = 0; tries < 50; tries++) {
        int i = (int)below(NODES);
        if (nodes[i].used && nodes[i].kind == DIRECTORY) return i;
    }
    return 0;
}
static int depth(int directory) {
    int d = 0;
    for (; directory; directory = nodes[directory].parent) d++;
    return d;
}
static int is_empty(int directory) {
    for (int n = 0; n < NAMES; n++)
        if (entries[directory][n] >= 0) return 0;
    return 1;
}
static int is_below(int node, int above) {
    for (;; node = nodes[node].parent) {
        if (node == above) return 1;
        if (!node) return 0;
    }
}

// Some names are long, some are no UTF-8.
static const char *name_text(int name) {
    static char text[4][300];
    static int turn;
    char *t = text[turn++ & 3];
    if (name % 8 == 7) {
        memset(t, 'a' + name, 255);
        t[255] = 0;
    } else if (name % 8 == 6) {
        snprintf(t, 300, "\xff\xfe\x80-%d", name);
    } else {
        snprintf(t, 300, "name%d", name);
    }
    return t;
}
static const char *path_of(int directory, int name) {
    static char paths[2][PATH_MAX];
    static int turn;
    int chain[NODES], count = 0;
    for (int d = directory; d; d = nodes[d].parent) chain[count++] = d;
    char *p = paths[turn++ & 1], *end = p;
    *p = 0;
    while (count--) {
        int child = chain[count], parent = nodes[child].parent, n = 0;
        while (entries[parent][n] != child) n++;
        end += sprintf(end, "%s/", name_text(n));
    }
    if (name >= 0) strcpy(end, name_text(name));
    else strcpy(end, ".");
    return p;
}

static unsigned char byte_at(uint64_t content, unsigned index) { return (unsigned char)(content >> (index % 8 * 8)) ^ (unsigned char)(index >> 3); }

static void expect(int result, int expected, const char *what) {
    if (expected ? (result != -1 || errno != expected) : result == -1) differs("%s gives %d, errno %d expected", what, result, expected);
}

static void create_or_write(void) {
    int d = any_directory(), n = (int)below(NAMES), node = entries[d][n];
    int exclusive = below(4) == 0;
    note("write %s", path_of(d, n));
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | (exclusive ? O_EXCL : 0);
    if (node < 0) {
        node = make(FILE_KIND, 0600, d);
        if (node < 0) return;
        entries[d][n] = node;
    } else if (exclusive) {
        return expect(openat(root_descriptor, path_of(d, n), flags, 0600), EEXIST, "exclusive open");
    } else if (nodes[node].kind == DIRECTORY) {
        return expect(openat(root_descriptor, path_of(d, n), flags, 0600), EISDIR, "open of a directory");
    } else if (nodes[node].kind == LINK) {
        return expect(openat(root_descriptor, path_of(d, n), flags, 0600), ELOOP, "open of a link");
    }
    int file = openat(root_descriptor, path_of(d, n), flags, 0600);
    if (file < 0) differs("open");
    nodes[node].content = random_word();
    nodes[node].size = (unsigned)below(below(4) ? 200 : 20000);
    static unsigned char bytes[20000];
    for (unsigned i = 0; i < nodes[node].size; i++) bytes[i] = byte_at(nodes[node].content, i);
    if (write(file, bytes, nodes[node].size) != (ssize_t)nodes[node].size) differs("write");
    close(file);
}
static void make_directory(void) {
    int d = any_directory(), n = (int)below(NAMES);
    if (depth(d) >= DEPTH) return;
    note("mkdir %s", path_of(d, n));
    int expected = entries[d][n] >= 0 ? EEXIST : 0, node = -1;
    if (!expected && (node = make(DIRECTORY, 0700, d)) < 0) return;
    expect(mkdirat(root_descriptor, path_of(d, n), 0700), expected, "mkdir");
    if (!expected) entries[d][n] = node;
}
static void make_link(void) {
    int d = any_directory(), n = (int)below(NAMES);
    note("symlink %s", path_of(d, n));
    int expected = entries[d][n] >= 0 ? EEXIST : 0, node = -1;
    if (!expected && (node = make(LINK, 0777, d)) < 0) return;
    uint64_t target = below(1000000);
    char text[40];
    sprintf(text, "to/%llu", (unsigned long long)target);
    expect(symlinkat(text, root_descriptor, path_of(d, n)), expected, "symlink");
    if (expected) return;
    nodes[node].content = target;
    entries[d][n] = node;
}
static void link_file(void) {
    int d = any_directory(), n = (int)below(NAMES), e = any_directory(), m = (int)below(NAMES), node = entries[d][n];
    note("link %s to %d/%d", path_of(d, n), e, m);
    int expected = node < 0 ? ENOENT : entries[e][m] >= 0 ? EEXIST : nodes[node].kind == DIRECTORY ? EPERM : 0;
    expect(linkat(root_descriptor, path_of(d, n), root_descriptor, path_of(e, m), 0), expected, "link");
    if (expected) return;
    nodes[node].references++;
    entries[e][m] = node;
}
static void remove_name(void) {
    int d = any_directory(), n = (int)below(NAMES), node = entries[d][n], directory = (int)below(2);
    note("%s %s", directory ? "rmdir" : "unlink", path_of(d, n));
    int expected = 0;
    if (node < 0) expected = ENOENT;
    else if (directory) expected = nodes[node].kind != DIRECTORY ? ENOTDIR : is_empty(node) ? 0 : ENOTEMPTY;
    else if (nodes[node].kind == DIRECTORY) expected = EISDIR;
    expect(unlinkat(root_descriptor, path_of(d, n), directory ? AT_REMOVEDIR : 0), expected, "removal");
    if (expected) return;
    entries[d][n] = -1;
    drop(node);
}
static void rename_name(void) {
    int d = any_directory(), n = (int)below(NAMES), e = any_directory(), m = (int)below(NAMES);
    int node = entries[d][n], other = entries[e][m];
    unsigned flags = below(3) ? 0 : below(2) ? RENAME_NOREPLACE : RENAME_EXCHANGE;
    note("rename %s to %d/%d, flags %u", path_of(d, n), e, m, flags);
    int expected = 0;
    if (node < 0) expected = ENOENT;
    else if (other >= 0 && flags == RENAME_NOREPLACE) expected = EEXIST;
    else if (other < 0 && flags == RENAME_EXCHANGE) expected = ENOENT;
    else if (nodes[node].kind == DIRECTORY && is_below(e, node)) expected = EINVAL;
    else if (other >= 0 && nodes[other].kind == DIRECTORY && is_below(d, other)) expected = flags == RENAME_EXCHANGE ? EINVAL : ENOTEMPTY;
    else if (node != other && flags != RENAME_EXCHANGE && other >= 0) {
        if (nodes[node].kind == DIRECTORY) expected = nodes[other].kind != DIRECTORY ? ENOTDIR : is_empty(other) ? 0 : ENOTEMPTY;
        else if (nodes[other].kind == DIRECTORY) expected = EISDIR;
    }
    expect(renameat2(root_descriptor, path_of(d, n), root_descriptor, path_of(e, m), flags), expected, "rename");
    if (expected || node == other) return;
    entries[e][m] = node;
    entries[d][n] = flags == RENAME_EXCHANGE ? other : -1;
    if (nodes[node].kind == DIRECTORY) nodes[node].parent = e;
    if (other < 0) return;
    if (flags == RENAME_EXCHANGE) {
        if (nodes[other].kind == DIRECTORY) nodes[other].parent = d;
    } else {
        drop(other);
    }
}
static void change_mode(void) {
    int d = any_directory(), n = (int)below(NAMES), node = entries[d][n];
    if (node < 0 || nodes[node].kind == LINK) return;
    unsigned mode = 0600 | (nodes[node].kind == DIRECTORY ? 0100 : 0) | (unsigned)below(0100);
    note("chmod %s %o", path_of(d, n), mode);
    expect(fchmodat(root_descriptor, path_of(d, n), mode, 0), 0, "chmod");
    nodes[node].mode = mode;
}

static void compare_file(int node, const char *path) {
    static unsigned char bytes[20001];
    int file = openat(root_descriptor, path, O_RDONLY | O_NOFOLLOW);
    if (file < 0) differs("open of %s", path);
    ssize_t got = read(file, bytes, sizeof bytes);
    close(file);
    if (got != (ssize_t)nodes[node].size) differs("%s has %zd bytes, not %u", path, got, nodes[node].size);
    for (unsigned i = 0; i < nodes[node].size; i++)
        if (bytes[i] != byte_at(nodes[node].content, i)) differs("byte %u of %s", i, path);
}
static void compare_entry(int d, int n) {
    const char *path = path_of(d, n);
    int node = entries[d][n];
    struct stat s;
    if (fstatat(root_descriptor, path, &s, AT_SYMLINK_NOFOLLOW)) {
        if (errno != ENOENT || node >= 0) differs("%s is missing", path);
        return;
    }
    if (node < 0) differs("%s is there", path);
    mode_t type = nodes[node].kind == DIRECTORY ? S_IFDIR : nodes[node].kind == LINK ? S_IFLNK : S_IFREG;
    if ((s.st_mode & S_IFMT) != type) differs("%s has mode %o", path, s.st_mode);
    if (nodes[node].kind != LINK && (s.st_mode & 07777) != nodes[node].mode) differs("%s has mode %o, not %o", path, s.st_mode, nodes[node].mode);
    if (nodes[node].kind != DIRECTORY && (int)s.st_nlink != nodes[node].references)
        differs("%s has %d links, not %d", path, (int)s.st_nlink, nodes[node].references);
    if (nodes[node].kind == FILE_KIND) {
        if (s.st_size != nodes[node].size) differs("%s has size %lld, not %u", path, (long long)s.st_size, nodes[node].size);
        if (below(4) == 0) compare_file(node, path);
    } else if (nodes[node].kind == LINK) {
        char seen[64] = "", wanted[64];
        sprintf(wanted, "to/%llu", (unsigned long long)nodes[node].content);
        if (readlinkat(root_descriptor, path, seen, sizeof seen - 1) < 0 || strcmp(seen, wanted)) differs("%s leads to %s, not %s", path, seen, wanted);
    }
}
static void compare_listing(int d) {
    int file = openat(root_descriptor, path_of(d, -1), O_RDONLY | O_DIRECTORY);
    DIR *stream = file < 0 ? NULL : fdopendir(file);
    if (!stream) differs("opendir of %s", path_of(d, -1));
    int seen[NAMES] = {0}, dots = 0;
    for (struct dirent *e; (e = readdir(stream));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
            dots++;
            continue;
        }
        int n = 0;
        while (n < NAMES && strcmp(e->d_name, name_text(n))) n++;
        if (n == NAMES) differs("%s holds %s", path_of(d, -1), e->d_name);
        if (seen[n]++) differs("%s lists %s twice", path_of(d, -1), e->d_name);
        if (entries[d][n] < 0) differs("%s lists %s", path_of(d, -1), e->d_name);
        int kind = nodes[entries[d][n]].kind;
        if (e->d_type != DT_UNKNOWN && e->d_type != (kind == DIRECTORY ? DT_DIR : kind == LINK ? DT_LNK : DT_REG)) differs("d_type of %s", e->d_name);
    }
    closedir(stream);
    if (dots != 2) differs("%d dots", dots);
    for (int n = 0; n < NAMES; n++)
        if (entries[d][n] >= 0 && !seen[n]) differs("%s does not list %s", path_of(d, -1), name_text(n));
}
static void compare_all(void) {
    for (int d = 0; d < NODES; d++) {
        if (!nodes[d].used || nodes[d].kind != DIRECTORY) continue;
        if (below(2)) compare_listing(d);
        for (int n = 0; n < NAMES; n++) compare_entry(d, n);
        compare_listing(d);
    }
}
static void remove_all(int d) {
    for (int n = 0; n < NAMES; n++) {
        int node = entries[d][n];
        if (node < 0) continue;
        if (nodes[node].kind == DIRECTORY) remove_all(node);
        if (unlinkat(root_descriptor, path_of(d, n), nodes[node].kind == DIRECTORY ? AT_REMOVEDIR : 0)) differs("removal of %s", path_of(d, n));
        entries[d][n] = -1;
    }
}

int main(int argc, char **argv) {
    double end = begin(argc, argv);
    umask(0);
    snprintf(root_path, sizeof root_path, "%s/tree-model.%d", argv[1], (int)getpid());
    if (mkdir(root_path, 0700)) differs("mkdir %s", root_path);
    root_descriptor = open(root_path, O_RDONLY | O_DIRECTORY);
    nodes[0] = (struct node){.used = 1, .references = 1, .kind = DIRECTORY, .mode = 0700};
    for (int n = 0; n < NAMES; n++) entries[0][n] = -1;
    do {
        switch (below(12)) {
        case 0 ... 2: create_or_write(); break;
        case 3: make_directory(); break;
        case 4: make_link(); break;
        case 5: link_file(); break;
        case 6 ... 7: remove_name(); break;
        case 8 ... 9: rename_name(); break;
        case 10: change_mode(); break;
        case 11: {
            int d = any_directory();
            compare_entry(d, (int)below(NAMES));
            break;
        }
        }
        if (below(64) == 0) compare_listing(any_directory());
        if (below(512) == 0) compare_all();
    } while (now() < end);
    compare_all();
    remove_all(0);
    if (rmdir(root_path)) differs("rmdir of the root");
    finish();
}
