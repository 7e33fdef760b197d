package dev.cloister.seccomp;

import dev.cloister.ffm.Architecture;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;

/**
 * Every system call of both architectures, and what {@link DefaultProfile} says to it;
 * docs/seccomp.md has the reasons. A test holds the numbers to the C headers, and finds what is
 * missing.
 */
final class SystemCallTable {
  /** Name, number on x86_64, number on aarch64, verdict. */
  private static final String ROWS =
      """
      _sysctl                    156       -  unknown
      accept                      43     202  allow
      accept4                    288     242  allow
      access                      21       -  allow
      acct                       163      89  refuse
      add_key                    248     217  refuse
      adjtimex                   159     171  allow
      afs_syscall                183       -  unknown
      alarm                       37       -  allow
      arch_prctl                 158       -  allow
      bind                        49     200  allow
      bpf                        321     280  refuse
      brk                         12     214  allow
      cachestat                  451     451  allow
      capget                     125      90  allow
      capset                     126      91  allow
      chdir                       80      49  allow
      chmod                       90       -  allow
      chown                       92       -  allow
      chroot                     161      51  refuse
      clock_adjtime              305     266  allow
      clock_getres               229     114  allow
      clock_gettime              228     113  allow
      clock_nanosleep            230     115  allow
      clock_settime              227     112  refuse
      clone                       56     220  clone
      clone3                     435     435  unknown
      close                        3      57  allow
      close_range                436     436  allow
      connect                     42     203  allow
      copy_file_range            326     285  allow
      creat                       85       -  allow
      create_module              174       -  unknown
      delete_module              176     106  refuse
      dup                         32      23  allow
      dup2                        33       -  allow
      dup3                       292      24  allow
      epoll_create               213       -  allow
      epoll_create1              291      20  allow
      epoll_ctl                  233      21  allow
      epoll_ctl_old              214       -  unknown
      epoll_pwait                281      22  allow
      epoll_pwait2               441     441  allow
      epoll_wait                 232       -  allow
      epoll_wait_old             215       -  unknown
      eventfd                    284       -  allow
      eventfd2                   290      19  allow
      execve                      59     221  allow
      execveat                   322     281  allow
      exit                        60      93  allow
      exit_group                 231      94  allow
      faccessat                  269      48  allow
      faccessat2                 439     439  allow
      fadvise64                  221     223  allow
      fallocate                  285      47  allow
      fanotify_init              300     262  refuse
      fanotify_mark              301     263  refuse
      fchdir                      81      50  allow
      fchmod                      91      52  allow
      fchmodat                   268      53  allow
      fchmodat2                  452     452  allow
      fchown                      93      55  allow
      fchownat                   260      54  allow
      fcntl                       72      25  allow
      fdatasync                   75      83  allow
      fgetxattr                  193      10  allow
      file_getattr               468     468  allow
      file_setattr               469     469  allow
      finit_module               313     273  refuse
      flistxattr                 196      13  allow
      flock                       73      32  allow
      fork                        57       -  allow
      fremovexattr               199      16  allow
      fsconfig                   431     431  refuse
      fsetxattr                  190       7  allow
      fsmount                    432     432  refuse
      fsopen                     430     430  refuse
      fspick                     433     433  refuse
      fstat                        5      80  allow
      fstatfs                    138      44  allow
      fsync                       74      82  allow
      ftruncate                   77      46  allow
      futex                      202      98  allow
      futex_requeue              456     456  allow
      futex_wait                 455     455  allow
      futex_waitv                449     449  allow
      futex_wake                 454     454  allow
      futimesat                  261       -  allow
      get_kernel_syms            177       -  unknown
      get_mempolicy              239     236  refuse
      get_robust_list            274     100  allow
      get_thread_area            211       -  unknown
      getcpu                     309     168  allow
      getcwd                      79      17  allow
      getdents                    78       -  allow
      getdents64                 217      61  allow
      getegid                    108     177  allow
      geteuid                    107     175  allow
      getgid                     104     176  allow
      getgroups                  115     158  allow
      getitimer                   36     102  allow
      getpeername                 52     205  allow
      getpgid                    121     155  allow
      getpgrp                    111       -  allow
      getpid                      39     172  allow
      getpmsg                    181       -  unknown
      getppid                    110     173  allow
      getpriority                140     141  allow
      getrandom                  318     278  allow
      getresgid                  120     150  allow
      getresuid                  118     148  allow
      getrlimit                   97     163  allow
      getrusage                   98     165  allow
      getsid                     124     156  allow
      getsockname                 51     204  allow
      getsockopt                  55     209  allow
      gettid                     186     178  allow
      gettimeofday                96     169  allow
      getuid                     102     174  allow
      getxattr                   191       8  allow
      getxattrat                 464     464  allow
      init_module                175     105  refuse
      inotify_add_watch          254      27  allow
      inotify_init               253       -  allow
      inotify_init1              294      26  allow
      inotify_rm_watch           255      28  allow
      io_cancel                  210       3  allow
      io_destroy                 207       1  allow
      io_getevents               208       4  allow
      io_pgetevents              333     292  allow
      io_setup                   206       0  allow
      io_submit                  209       2  allow
      io_uring_enter             426     426  refuse
      io_uring_register          427     427  refuse
      io_uring_setup             425     425  refuse
      ioctl                       16      29  ioctl
      ioperm                     173       -  refuse
      iopl                       172       -  refuse
      ioprio_get                 252      31  allow
      ioprio_set                 251      30  allow
      kcmp                       312     272  refuse
      kexec_file_load            320     294  refuse
      kexec_load                 246     104  refuse
      keyctl                     250     219  refuse
      kill                        62     129  allow
      landlock_add_rule          445     445  allow
      landlock_create_ruleset    444     444  allow
      landlock_restrict_self     446     446  allow
      lchown                      94       -  allow
      lgetxattr                  192       9  allow
      link                        86       -  allow
      linkat                     265      37  allow
      listen                      50     201  allow
      listmount                  458     458  unknown
      listxattr                  194      11  allow
      listxattrat                465     465  allow
      llistxattr                 195      12  allow
      lookup_dcookie             212      18  refuse
      lremovexattr               198      15  allow
      lseek                        8      62  allow
      lsetxattr                  189       6  allow
      lsm_get_self_attr          459     459  allow
      lsm_list_modules           461     461  allow
      lsm_set_self_attr          460     460  refuse
      lstat                        6       -  allow
      madvise                     28     233  allow
      map_shadow_stack           453     453  allow
      mbind                      237     235  refuse
      membarrier                 324     283  allow
      memfd_create               319     279  allow
      memfd_secret               447     447  allow
      migrate_pages              256     238  refuse
      mincore                     27     232  allow
      mkdir                       83       -  allow
      mkdirat                    258      34  allow
      mknod                      133       -  allow
      mknodat                    259      33  allow
      mlock                      149     228  allow
      mlock2                     325     284  allow
      mlockall                   151     230  allow
      mmap                         9     222  allow
      modify_ldt                 154       -  refuse
      mount                      165      40  refuse
      mount_setattr              442     442  refuse
      move_mount                 429     429  refuse
      move_pages                 279     239  refuse
      mprotect                    10     226  allow
      mq_getsetattr              245     185  allow
      mq_notify                  244     184  allow
      mq_open                    240     180  allow
      mq_timedreceive            243     183  allow
      mq_timedsend               242     182  allow
      mq_unlink                  241     181  allow
      mremap                      25     216  allow
      mseal                      462     462  allow
      msgctl                      71     187  allow
      msgget                      68     186  allow
      msgrcv                      70     188  allow
      msgsnd                      69     189  allow
      msync                       26     227  allow
      munlock                    150     229  allow
      munlockall                 152     231  allow
      munmap                      11     215  allow
      name_to_handle_at          303     264  allow
      nanosleep                   35     101  allow
      newfstatat                 262      79  allow
      nfsservctl                 180      42  unknown
      open                         2       -  allow
      open_by_handle_at          304     265  refuse
      open_tree                  428     428  refuse
      open_tree_attr             467     467  refuse
      openat                     257      56  allow
      openat2                    437     437  allow
      pause                       34       -  allow
      perf_event_open            298     241  refuse
      personality                135      92  personality
      pidfd_getfd                438     438  refuse
      pidfd_open                 434     434  allow
      pidfd_send_signal          424     424  allow
      pipe                        22       -  allow
      pipe2                      293      59  allow
      pivot_root                 155      41  refuse
      pkey_alloc                 330     289  allow
      pkey_free                  331     290  allow
      pkey_mprotect              329     288  allow
      poll                         7       -  allow
      ppoll                      271      73  allow
      prctl                      157     167  allow
      pread64                     17      67  allow
      preadv                     295      69  allow
      preadv2                    327     286  allow
      prlimit64                  302     261  allow
      process_madvise            440     440  refuse
      process_mrelease           448     448  allow
      process_vm_readv           310     270  refuse
      process_vm_writev          311     271  refuse
      pselect6                   270      72  allow
      ptrace                     101     117  refuse
      putpmsg                    182       -  unknown
      pwrite64                    18      68  allow
      pwritev                    296      70  allow
      pwritev2                   328     287  allow
      query_module               178       -  unknown
      quotactl                   179      60  refuse
      quotactl_fd                443     443  refuse
      read                         0      63  allow
      readahead                  187     213  allow
      readlink                    89       -  allow
      readlinkat                 267      78  allow
      readv                       19      65  allow
      reboot                     169     142  refuse
      recvfrom                    45     207  allow
      recvmmsg                   299     243  allow
      recvmsg                     47     212  allow
      remap_file_pages           216     234  allow
      removexattr                197      14  allow
      removexattrat              466     466  allow
      rename                      82       -  allow
      renameat                   264      38  allow
      renameat2                  316     276  allow
      request_key                249     218  refuse
      restart_syscall            219     128  allow
      rmdir                       84       -  allow
      rseq                       334     293  allow
      rt_sigaction                13     134  allow
      rt_sigpending              127     136  allow
      rt_sigprocmask              14     135  allow
      rt_sigqueueinfo            129     138  allow
      rt_sigreturn                15     139  allow
      rt_sigsuspend              130     133  allow
      rt_sigtimedwait            128     137  allow
      rt_tgsigqueueinfo          297     240  allow
      sched_get_priority_max     146     125  allow
      sched_get_priority_min     147     126  allow
      sched_getaffinity          204     123  allow
      sched_getattr              315     275  allow
      sched_getparam             143     121  allow
      sched_getscheduler         145     120  allow
      sched_rr_get_interval      148     127  allow
      sched_setaffinity          203     122  allow
      sched_setattr              314     274  allow
      sched_setparam             142     118  allow
      sched_setscheduler         144     119  allow
      sched_yield                 24     124  allow
      seccomp                    317     277  allow
      security                   185       -  unknown
      select                      23       -  allow
      semctl                      66     191  allow
      semget                      64     190  allow
      semop                       65     193  allow
      semtimedop                 220     192  allow
      sendfile                    40      71  allow
      sendmmsg                   307     269  allow
      sendmsg                     46     211  allow
      sendto                      44     206  allow
      set_mempolicy              238     237  refuse
      set_mempolicy_home_node    450     450  refuse
      set_robust_list            273      99  allow
      set_thread_area            205       -  unknown
      set_tid_address            218      96  allow
      setdomainname              171     162  refuse
      setfsgid                   123     152  allow
      setfsuid                   122     151  allow
      setgid                     106     144  allow
      setgroups                  116     159  allow
      sethostname                170     161  refuse
      setitimer                   38     103  allow
      setns                      308     268  refuse
      setpgid                    109     154  allow
      setpriority                141     140  allow
      setregid                   114     143  allow
      setresgid                  119     149  allow
      setresuid                  117     147  allow
      setreuid                   113     145  allow
      setrlimit                  160     164  allow
      setsid                     112     157  allow
      setsockopt                  54     208  allow
      settimeofday               164     170  refuse
      setuid                     105     146  allow
      setxattr                   188       5  allow
      setxattrat                 463     463  allow
      shmat                       30     196  allow
      shmctl                      31     195  allow
      shmdt                       67     197  allow
      shmget                      29     194  allow
      shutdown                    48     210  allow
      sigaltstack                131     132  allow
      signalfd                   282       -  allow
      signalfd4                  289      74  allow
      socket                      41     198  socket
      socketpair                  53     199  socket
      splice                     275      76  allow
      stat                         4       -  allow
      statfs                     137      43  allow
      statmount                  457     457  unknown
      statx                      332     291  allow
      swapoff                    168     225  refuse
      swapon                     167     224  refuse
      symlink                     88       -  allow
      symlinkat                  266      36  allow
      sync                       162      81  allow
      sync_file_range            277      84  allow
      syncfs                     306     267  allow
      sysfs                      139       -  unknown
      sysinfo                     99     179  allow
      syslog                     103     116  refuse
      tee                        276      77  allow
      tgkill                     234     131  allow
      time                       201       -  allow
      timer_create               222     107  allow
      timer_delete               226     111  allow
      timer_getoverrun           225     109  allow
      timer_gettime              224     108  allow
      timer_settime              223     110  allow
      timerfd_create             283      85  allow
      timerfd_gettime            287      87  allow
      timerfd_settime            286      86  allow
      times                      100     153  allow
      tkill                      200     130  allow
      truncate                    76      45  allow
      tuxcall                    184       -  unknown
      umask                       95     166  allow
      umount2                    166      39  refuse
      uname                       63     160  allow
      unlink                      87       -  allow
      unlinkat                   263      35  allow
      unshare                    272      97  unshare
      uretprobe                  335       -  allow
      uselib                     134       -  unknown
      userfaultfd                323     282  refuse
      ustat                      136       -  unknown
      utime                      132       -  allow
      utimensat                  280      88  allow
      utimes                     235       -  allow
      vfork                       58       -  allow
      vhangup                    153      58  refuse
      vmsplice                   278      75  allow
      vserver                    236       -  unknown
      wait4                       61     260  allow
      waitid                     247      95  allow
      write                        1      64  allow
      writev                      20      66  allow
      """;

  private SystemCallTable() {}

  /**
   * A system call.
   *
   * @param x86 its number there, if there is such a call
   * @param aarch its number there, if there is such a call
   */
  record Row(String name, OptionalInt x86, OptionalInt aarch, Verdict verdict) {
    OptionalInt number(Architecture architecture) {
      return switch (architecture) {
        case X86_64 -> x86;
        case AARCH64 -> aarch;
      };
    }
  }

  /** All calls by name. */
  static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (String line : ROWS.split("\n", -1)) {
      if (!line.isEmpty()) {
        String[] words = line.trim().split(" +", -1);
        rows.add(new Row(words[0], number(words[1]), number(words[2]), Verdict.of(words[3])));
      }
    }
    return rows;
  }

  private static OptionalInt number(String word) {
    return word.equals("-") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(word));
  }

  /** Calls that follow each other and are judged alike, up to the next range's first. */
  record Range(int first, Verdict verdict) {}

  /** From 0 on; what is beyond the last call, or between two, is unknown. */
  static List<Range> ranges(Architecture architecture) {
    List<Row> known = new ArrayList<>();
    for (Row row : rows()) {
      if (row.number(architecture).isPresent()) {
        known.add(row);
      }
    }
    known.sort(Comparator.comparingInt(row -> row.number(architecture).orElseThrow()));
    List<Range> ranges = new ArrayList<>();
    int next = 0;
    for (Row row : known) {
      int number = row.number(architecture).orElseThrow();
      if (number > next) {
        append(ranges, new Range(next, Verdict.UNKNOWN));
      }
      append(ranges, new Range(number, row.verdict()));
      next = number + 1;
    }
    append(ranges, new Range(next, Verdict.UNKNOWN));
    return ranges;
  }

  private static void append(List<Range> ranges, Range range) {
    if (ranges.isEmpty() || ranges.getLast().verdict() != range.verdict()) {
      ranges.add(range);
    }
  }
}
