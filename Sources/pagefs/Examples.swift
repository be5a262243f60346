/// The examples that `--help` shows for each command.
enum Examples {
    static let mount = """
        EXAMPLES:
          pagefs /run/pagefs                        mount, in the background
          pagefs -f /run/pagefs                     stay in the foreground
          pagefs -o max_age=0 /run/pagefs           never reuse an answer
          pagefs -o sizes=exact /run/pagefs         right sizes for tar and rsync
          pagefs -o proc=/mnt/proc /run/pagefs      the processes of another /proc
          mount -t fuse.pagefs pagefs /run/pagefs   with mount(8) or in fstab
          umount /run/pagefs                        unmount, as root
          fusermount3 -u ~/pagefs                   unmount, as a plain user
        """

    static let cat = """
        EXAMPLES:
          pagefs cat README                     what is in the tree
          pagefs cat 1234/layout                the mappings of process 1234
          pagefs cat 1234/by-label/heap/pages   every page of its heap
          pagefs cat 1234/at/7f3a12345678/info  what is mapped at an address
        """

    static let list = """
        EXAMPLES:
          pagefs ls                             the processes
          pagefs ls 1234/vma                    the mappings of process 1234
          pagefs ls by-name/bash                the processes called bash
        """

    static let tree = """
        EXAMPLES:
          pagefs tree by-name                   all names and their processes
          pagefs tree 1234/by-label             labels and their mappings
        """
}
