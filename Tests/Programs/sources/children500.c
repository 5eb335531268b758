// Forks 500 children, 100 at a time, and adds up their exit statuses.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    int sum = 0, status;
    for (int batch = 0; batch < 5; batch++) {
        for (int i = 0; i < 100; i++) {
            pid_t child = fork();
            if (child == -1) return 1;
            if (!child) _exit(i);
        }
        while (wait(&status) > 0) sum += WEXITSTATUS(status);
    }
    printf("%d\n", sum);
    return 0;
}
