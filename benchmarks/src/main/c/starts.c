/*
 * Times whole processes from outside: starts each of several commands in turn, many times, and prints
 * the median time from its start to its end, in microseconds, and the ratio to the first command's.
 *
 *     starts COUNT NAME COMMAND [ARGUMENT...] , NAME COMMAND [ARGUMENT...] , ...
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define MOST_COMMANDS 16

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

static double start(char **command, char **environment)
{
    pid_t child;
    int status;
    double before = now();
    if (posix_spawn(&child, command[0], NULL, NULL, command, environment) != 0
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

int main(int count, char **arguments, char **environment)
{
    char **commands[MOST_COMMANDS];
    double *times[MOST_COMMANDS];
    int many = 0;
    int runs = count > 1 ? atoi(arguments[1]) : 0;
    for (int i = 2; i < count && many < MOST_COMMANDS; i++) {
        commands[many] = arguments + i;
        times[many++] = calloc(runs + 1, sizeof(double));
        while (i < count && strcmp(arguments[i], ",") != 0) {
            i++;
        }
        arguments[i] = NULL;
    }
    if (runs < 1 || many == 0) {
        fprintf(stderr, "usage: starts COUNT NAME COMMAND [ARGUMENT...] , ...\n");
        return 1;
    }
    for (int run = -3; run < runs; run++) {
        for (int i = 0; i < many; i++) {
            times[i][run < 0 ? 0 : run] = start(commands[i] + 1, environment);
        }
    }
    double first = 0;
    for (int i = 0; i < many; i++) {
        qsort(times[i], runs, sizeof(double), by_size);
        double median = times[i][runs / 2];
        first = i == 0 ? median : first;
        printf("%-40s %9.0f us  %6.2f\n", commands[i][0], median, median / first);
    }
    return 0;
}
