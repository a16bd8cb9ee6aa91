"""A small runner of composite actions and workflows. It is not GitHub's runner.

It reads `action.yml` and `.github/workflows/*.yml` and really executes them: expressions with
GitHub's coercions (results compared with those of GitHub's own engine), inputs, `if`, `env`,
outputs, the files behind GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH and GITHUB_STEP_SUMMARY, workflow
commands, nested composite actions, jobs with needs, matrix, environments and token permissions.

What it is not, and does not prove:
- Actions of others (checkout, setup-uv, upload-artifact, download-artifact, attest, cache) are
  stand-ins of a few lines. They know the real ones' inputs, and do locally what those do.
- Jobs run one after the other. There are no triggers, filters, services, concurrency groups, caches
  between runs, container jobs, JavaScript or Docker actions, post steps, approvals or debug logs.
- Only `shell: bash` of Linux. The tools are those of the machine that it is handed.
- It is stricter: unknown keys, functions, contexts, inputs, step ids and outputs are errors here,
  where GitHub takes some of them as empty.
"""
