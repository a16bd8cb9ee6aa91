from pathlib import Path

lines = Path("data/train.csv").read_text().split()
Path("data/clean.csv").write_text("\n".join(line for line in lines[1:] if line) + "\n")
