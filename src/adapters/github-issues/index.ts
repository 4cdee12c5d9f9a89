export { GITHUB_API, githubIssues, type IssueRequest } from './issues.ts'
