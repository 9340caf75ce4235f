// What the bundler makes of files that are no code.

declare module '*.svg' {
  const drawing: string;
  export default drawing;
}
declare module '*.css';
