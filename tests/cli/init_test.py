"""tether init"""

import os
import subprocess
import unittest

from project import TOOL, ProjectTest, run


class Init(ProjectTest):
    def test_writes_a_project_whose_printed_steps_work(self):
        done = self.ok("init", "my shop")
        steps = done.out.split("now try:\n")[1]
        path = os.path.dirname(TOOL) + ":" + os.environ["PATH"]
        shell = subprocess.run(["bash", "-e", "-c", steps], cwd=self.folder, text=True, check=False,
                               capture_output=True, env={**os.environ, "PATH": path}, timeout=60)
        self.assertEqual(shell.returncode, 0, shell.stderr)
        self.assertIn("succeeded", shell.stdout)

    def test_makes_the_store_for_its_owner_only(self):
        self.assertEqual((self.folder / "orders.db").stat().st_mode & 0o777, 0o600)

    def test_refuses_to_overwrite_and_writes_nothing(self):
        for present in ("tether.json", "orders.db", "migrations/001_orders.sql"):
            folder = self.folder / ("with-" + present.replace("/", "-"))
            (folder / present).parent.mkdir(parents=True)
            (folder / present).write_text("mine")
            with self.subTest(present=present):
                done = run("init", folder, folder=self.folder)
                self.assertEqual(done.exit, 5)
                self.assertRegex(done.err, "is there already")
                files = [path for path in folder.rglob("*") if path.is_file()]
                self.assertEqual(files, [folder / present])
                self.assertEqual((folder / present).read_text(), "mine")

    def test_does_not_write_through_a_link(self):
        target = self.folder / "target"
        (self.folder / "linked").mkdir()
        (self.folder / "linked/tether.json").symlink_to(target)
        self.fails(5, "is there already", "init", "linked")
        self.assertFalse(target.exists())

    def test_names_a_folder_that_it_cannot_make(self):
        (self.folder / "file").write_text("")
        self.fails(2, "cannot make the folder", "init", "file/shop")

    def test_takes_back_what_it_made_when_it_fails(self):
        done = subprocess.run(["bash", "-c", f"ulimit -f 8; exec {TOOL} init new/shop"],
                              cwd=self.folder, text=True, check=False, capture_output=True,
                              timeout=60)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertFalse((self.folder / "new").exists())
        self.ok("init", "new/shop")

    def test_takes_back_nothing_that_was_there_beside_its_store(self):
        shop = self.folder / "shop"
        shop.mkdir()
        mine = ("orders.db.bak", "orders.db-export.csv")
        for name in mine:
            (shop / name).write_text("mine")
        done = subprocess.run(["bash", "-c", f"ulimit -f 60; exec {TOOL} init shop"], text=True,
                              cwd=self.folder, check=False, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertCountEqual([path.name for path in shop.iterdir()], mine)
        (shop / "orders.db-wal").write_text("left")
        self.fails(9, "was left by a store that is gone", "init", "shop")
        self.assertTrue((shop / "orders.db-wal").exists())

    def test_takes_back_the_folders_alone_that_it_made(self):
        (self.folder / "shop").mkdir()
        (self.folder / "shop/scenarios").write_text("mine")
        self.fails(2, "cannot make the folder", "init", "shop")
        self.assertEqual([path.name for path in (self.folder / "shop").iterdir()], ["scenarios"])

    def test_lists_in_json_what_it_wrote(self):
        data = self.ok("--json", "init", "shop").data
        self.assertEqual(data["folder"], str(self.folder / "shop"))
        for file in data["files"]:
            self.assertTrue((self.folder / "shop" / file).is_file(), file)


if __name__ == "__main__":
    unittest.main()
