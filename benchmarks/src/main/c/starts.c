/*
 * Times whole processes from outside: starts each of several commands in turn, many times, and prints
 * the median time from its start to its end, in microseconds, and the ratio to the first command's; or,
 * with -a, for each command a line of all its times. Each turn has an order of its own, the same in each
 * run of this program, so that no command always finds what the same other one has left in the caches.
 *
 *     starts [-a] COUNT NAME COMMAND [ARGUMENT...] , NAME COMMAND [ARGUMENT...] , ...
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_COMMANDS 256
#define WARM_UP 3

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static double start(char **command, const posix_spawn_file_actions_t *quiet, char **environment)
{
    pid_t child;
    int status;
    double before = now();
    if (posix_spawn(&child, command[0], quiet, NULL, command, environment) != 0
        || waitpid(child, &status, 0) < 0) {
        perror(command[0]);
        exit(1);
    }
    double after = now();
    if (status != 0) {
        fprintf(stderr, "%s ended with status %#x\n", command[0], status);
        exit(1);
    }
    return after - before;
}

static void shuffle(int *order, int many)
{
    for (int i = many - 1; i > 0; i--) {
        int other = random() % (i + 1);
        int swapped = order[i];
        order[i] = order[other];
        order[other] = swapped;
    }
}

static void print_all(const double *times, int runs)
{
    for (int run = 0; run < runs; run++) {
        printf("%s%.2f", run == 0 ? "" : " ", times[run]);
    }
    printf("\n");
}

int main(int count, char **arguments, char **environment)
{
    char **commands[MOST_COMMANDS];
    double *times[MOST_COMMANDS];
    int order[MOST_COMMANDS];
    int many = 0;
    int all = count > 1 && strcmp(arguments[1], "-a") == 0;
    int runs = count > 1 + all ? atoi(arguments[1 + all]) : 0;
    for (int i = 2 + all; i < count && many < MOST_COMMANDS; i++) {
        commands[many] = arguments + i;
        order[many] = many;
        times[many++] = calloc(runs + 1, sizeof(double));
        while (i < count && strcmp(arguments[i], ",") != 0) {
            i++;
        }
        arguments[i] = NULL;
    }
    if (runs < 1 || many == 0) {
        fprintf(stderr, "usage: starts [-a] COUNT NAME COMMAND [ARGUMENT...] , ...\n");
        return 1;
    }
    // What commands print is not this program's answer.
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int run = -WARM_UP; run < runs; run++) {
        shuffle(order, many);
        for (int i = 0; i < many; i++) {
            times[order[i]][run < 0 ? 0 : run] = start(commands[order[i]] + 1, &quiet, environment);
        }
    }
    double first = 0;
    for (int i = 0; i < many; i++) {
        if (all) {
            print_all(times[i], runs);
            continue;
        }
        qsort(times[i], runs, sizeof(double), by_size);
        double median = times[i][runs / 2];
        first = i == 0 ? median : first;
        printf("%-40s %9.0f us  %6.2f\n", commands[i][0], median, median / first);
    }
    return 0;
}
