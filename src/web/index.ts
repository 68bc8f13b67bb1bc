export type { EngineProblem, ErrorPage } from './error-page.ts';
export type { OwnTexts } from './messages/catalogue.ts';
export type { Logo, PageBank, TestUser, Words } from './page-bank.ts';
export { createPages, type Pages, type PagesOptions } from './pages.ts';
export type { PageLog } from './visit.ts';
