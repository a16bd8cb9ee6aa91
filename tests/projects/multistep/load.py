import sys
from pathlib import Path

rows = [f"{x},{2 * x}" for x in range(int(float(sys.argv[1])))]
Path("rows.csv").write_text("\n".join(rows))
